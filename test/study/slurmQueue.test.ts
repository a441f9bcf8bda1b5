/** What is read of `squeue --json`, of the versions that differ. */
import { describe, expect, it } from 'vitest';
import { isOver, parseQueue } from '../../src/study/executors/slurmCommands.ts';
import { countTasks } from '../../src/study/executors/slurmStudy.ts';

const queue = (jobs: object[], errors: object[] = []): string => JSON.stringify({ errors, jobs });

describe('the queue', () => {
  it('of Slurm 22.05: the waiting tasks of an array are one entry, the others one each', () => {
    const common = { name: 'carryover-x', restart_cnt: 0, state_reason: 'None' };
    const tasks = parseQueue(
      queue([
        {
          ...common,
          job_id: 9,
          array_job_id: 7,
          array_task_id: 0,
          array_task_string: '',
          job_state: 'RUNNING',
        },
        {
          ...common,
          job_id: 7,
          array_job_id: 7,
          array_task_id: null,
          array_task_string: '1-2,5,8-12:2%4',
          job_state: 'PENDING',
        },
        {
          ...common,
          job_id: 11,
          array_job_id: 0,
          array_task_id: null,
          array_task_string: '',
          job_state: 'COMPLETED',
        },
      ]),
    );
    expect(tasks.map(({ job, task }) => `${job}_${task}`)).toEqual([
      '7_0',
      '7_1',
      '7_2',
      '7_5',
      '7_8',
      '7_10',
      '7_12',
      '11_0',
    ]);
    expect(tasks.map(isOver)).toEqual([...Array.from({ length: 7 }, () => false), true]);
  });

  it('of Slurm 23.11 and later: numbers are objects, states are lists', () => {
    const number = (value: number, set = true) => ({ set, infinite: false, number: value });
    const [waiting, over] = parseQueue(
      queue([
        {
          job_id: 12,
          array_job_id: number(12),
          array_task_id: number(3),
          array_task_string: '',
          job_state: ['PENDING', 'REQUEUED'],
          name: 'a',
          state_reason: 'BeginTime',
          restart_cnt: 2,
        },
        {
          job_id: 15,
          array_job_id: number(0),
          array_task_id: number(0, false),
          array_task_string: '',
          job_state: ['CANCELLED'],
          name: 'b',
          state_reason: 'None',
          restart_cnt: number(0),
        },
      ]),
    );
    expect(waiting).toMatchObject({ job: '12', task: 3, restarts: 2, reason: 'BeginTime' });
    expect(over).toMatchObject({ job: '15', task: 0 });
    expect([waiting, over].map((task) => task && isOver(task))).toEqual([false, true]);
  });

  it('is not taken for empty where the controller did not answer', () => {
    const fault = { description: 'Failed while looking for jobs', error: 'Unspecified error' };
    expect(() => parseQueue(queue([], [fault]))).toThrow(
      /expected an answer of Slurm, got Failed while/,
    );
    expect(() => parseQueue('slurm_load_jobs error')).toThrow(/the queue as JSON/);
    expect(() => parseQueue('{}')).toThrow(/the queue as JSON/);
  });
});

describe('how a study stands in the queue', () => {
  it('is told with the reasons of what waits', () => {
    const job = (job_id: number, job_state: string, state_reason = 'None') => ({
      job_id,
      job_state,
      state_reason,
    });
    const tasks = parseQueue(
      queue([
        job(1, 'RUNNING'),
        job(2, 'COMPLETING'),
        job(3, 'PENDING', 'Resources'),
        { ...job(4, 'PENDING', 'Priority'), array_job_id: 4, array_task_string: '0-2' },
        job(5, 'PENDING'),
      ]),
    );
    expect(countTasks(tasks)).toEqual({
      running: 2,
      pending: 5,
      reasons: { Resources: 1, Priority: 3, 'not looked at yet': 1 },
    });
  });
});
