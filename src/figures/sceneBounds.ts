/**
 * Room for text that stands out of a drawing to the right: Vega makes room for axes and legends, and to the
 * left, but not for titles that are wider than what they stand over.
 */

/** What is read of Vega's scenegraph: groups of items, texts with their bounds. */
interface SceneMark {
  marktype: string;
  items: SceneItem[];
}

interface SceneItem {
  x?: number;
  items?: SceneMark[];
  bounds: { x2: number };
}

/** Right ends of all texts, in pixels from the origin of the drawing. */
function textEnds(mark: SceneMark, x = 0): number[] {
  return mark.items.flatMap((item) =>
    mark.marktype === 'text'
      ? [x + item.bounds.x2]
      : (item.items ?? []).flatMap((inner) => textEnds(inner, x + (item.x ?? 0))),
  );
}

const head =
  /^(<svg[^>]*) width="(\d+)" height="(\d+)" viewBox="0 0 \2 \3"><rect width="\2"(.*?<g[^>]* transform="translate\((-?[\d.]+),)/s;

/**
 * The SVG of a scenegraph, wider where its text needs it.
 * @param root of the scenegraph
 * @param padding around all of it, in pixels
 */
export function withRoomForText(svg: string, root: unknown, padding: number): string {
  const end = Math.max(...textEnds(root as SceneMark));
  return svg.replace(head, (all, start, width, height, rest, origin) => {
    const needed = Math.ceil(Number(origin) + end + padding);
    if (needed <= Number(width)) return all;
    return `${start} width="${needed}" height="${height}" viewBox="0 0 ${needed} ${height}"><rect width="${needed}"${rest}`;
  });
}
