/** Figure 9: CKA of WT before against after fine-tuning, every data set and model. */
import { similarityGrid } from './similarityGrid.ts';

export const figure09 = similarityGrid({
  id: 'figure-09-cka-wt',
  paper: 'Figure 9',
  needs: 'CKA of WT runs',
  title: 'Feature similarity before and after fine-tuning, WT',
  init: 'wt',
  measure: 'cka initial/best',
  about:
    'Similarity of the network with transferred weights before fine-tuning and after it. High values on the diagonal are features that were reused as they came.',
  xTitle: 'after',
  yTitle: 'before',
});
