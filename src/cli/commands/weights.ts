/** `carryover weights`: looks into checkpoint files and fetches published ones. */
import type { Command } from 'commander';
import { outputOf } from '../output.ts';

export function registerWeights(program: Command): void {
  const weights = program
    .command('weights')
    .description(
      'look into checkpoint files (.safetensors, PyTorch .pth and .pt), fetch official ones',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  $ carryover weights fetch resnet50\n' +
        '  $ carryover weights inspect resnet50-0676ba61.pth --model resnet50',
    );
  registerInspect(weights);
  registerFetch(weights);
  registerList(weights);
}

function registerInspect(weights: Command): void {
  weights
    .command('inspect')
    .description(
      'list the tensors of a checkpoint, say whose it is and of which network, and how they fit a model. ' +
        'Nothing in the file is ever run: a pickle that refers to anything but tensors and plain ' +
        'containers is refused.',
    )
    .argument('<file>', '.safetensors, or what torch.save wrote: .pth, .pt')
    .option(
      '--model <id>',
      'the model to compare with (default: the one that the shapes are found to be of)',
    )
    .addHelpText(
      'after',
      '\nA wrapped checkpoint ({"model": …}, {"state_dict": …}, {"model_ema": …}) is unwrapped, and names\n' +
        'are read without module., backbone., model., net., network. or encoder. in front. The head needs\n' +
        'not fit: it is always fresh.\n' +
        '\nExamples:\n' +
        '  $ carryover weights inspect best.safetensors\n' +
        '  $ carryover weights inspect deit_small_patch16_224-cd65a155.pth --model deit_small --json',
    )
    .action(async (file: string, { model }: { model?: string }, command: Command) => {
      const { inspect } = await import('../weights/inspect.ts');
      await inspect(file, model, outputOf(command));
    });
}

function registerFetch(weights: Command): void {
  weights
    .command('fetch')
    .description(
      'fetch the official ImageNet checkpoint of a model by its public address, check it against the ' +
        'SHA-256 that its name carries, and keep it. What came of a broken download is kept: the same ' +
        'command goes on from there.',
    )
    .argument(
      '<model>',
      'a model, or one of its checkpoints as `carryover weights list` names them',
    )
    .option(
      '--mirror <address>',
      'web address of a folder that has the files under their official names (default: ' +
        'CARRYOVER_WEIGHTS_MIRROR)',
    )
    .addHelpText(
      'after',
      '\nFiles are kept in CARRYOVER_WEIGHTS, or else in carryover/weights of the cache folder. There,\n' +
        '--weights and the weights of a study find them by name: imagenet, resnet50, resnet50.imagenet1k_v2.\n' +
        '\nExamples:\n' +
        '  $ carryover weights fetch resnet50\n' +
        '  $ carryover weights fetch swin_tiny.torchvision --mirror https://files.example.org/weights\n' +
        '  $ carryover train --model resnet50 --init wt --weights imagenet --data folder:pictures --out run',
    )
    .action(async (name: string, { mirror }: { mirror?: string }, command: Command) => {
      const { fetchOne } = await import('../weights/fetch.ts');
      await fetchOne(name, mirror, outputOf(command));
    });
}

function registerList(weights: Command): void {
  weights
    .command('list')
    .description('the checkpoints that `fetch` knows, and which of them are here')
    .addHelpText('after', '\nExample:\n  $ carryover weights list --json')
    .action(async (_options: unknown, command: Command) => {
      const { listPublished } = await import('../weights/fetch.ts');
      await listPublished(outputOf(command));
    });
}
