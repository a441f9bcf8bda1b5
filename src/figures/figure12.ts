/** Figure 12: CKA of ST before against after fine-tuning, every data set and model. */
import { similarityGrid } from './similarityGrid.ts';

export const figure12 = similarityGrid({
  id: 'figure-12-cka-st',
  paper: 'Figure 12',
  needs: 'CKA of ST runs',
  title: 'Feature similarity before and after fine-tuning, ST',
  init: 'st',
  measure: 'cka initial/best',
  about:
    'Similarity of the network that started from weight statistics alone before fine-tuning and after it.',
  xTitle: 'after',
  yTitle: 'before',
});
