import { parentPort, workerData } from 'node:worker_threads';
import { evaluateSlice } from '../src/pool/evaluate-slice.ts';
import { BEGUN, type Slice } from '../src/pool/slice.ts';

/** Like the real one, but a record can say how the thread is lost: `{ lost: { how, column } }`. */
const progress = new Int32Array(workerData as SharedArrayBuffer);

parentPort?.on('message', (slice: Slice) => {
  evaluateSlice(slice, {
    begin(cell) {
      Atomics.store(progress, BEGUN, cell + 1);
      if (!slice.skipped.has(cell)) misbehave(slice, cell);
    },
    say: (said) => parentPort?.postMessage(said),
  });
});

parentPort?.postMessage('ready');

function misbehave({ records, expressions }: Slice, cell: number): void {
  const { lost } = records[Math.floor(cell / expressions.length)] as { lost?: Lost };
  if (lost?.column !== cell % expressions.length) return;
  if (lost.how === 'exits') process.exit(1);
  const kept: number[][] = [];
  for (;;)
    if (lost.how === 'fills its memory')
      kept.push(Array.from({ length: 10_000 }, () => kept.length));
}

interface Lost {
  how: 'hangs' | 'fills its memory' | 'exits';
  column: number;
}
