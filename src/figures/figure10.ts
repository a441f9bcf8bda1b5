/** Figure 10: CKA of the fine-tuned WT against the fine-tuned ST network, every data set and model. */
import { similarityGrid } from './similarityGrid.ts';

export const figure10 = similarityGrid({
  id: 'figure-10-cka-wt-st',
  paper: 'Figure 10',
  needs: 'CKA of WT against ST runs of the same seed',
  title: 'Feature similarity of WT and ST after fine-tuning',
  init: 'wt against st',
  measure: 'cka best',
  about:
    'Similarity of what networks learn from transferred weights (WT) and from their statistics alone (ST), pairs of the same seed.',
  xTitle: 'ST',
  yTitle: 'WT',
});
