import { parentPort, workerData } from 'node:worker_threads';
import { evaluateSlice } from './evaluate-slice.ts';
import { BEGUN, type Said, type Slice } from './slice.ts';

// started by `thread.ts`, with nothing else
const progress = new Int32Array(workerData as SharedArrayBuffer);

parentPort?.on('message', (slice: Slice) => {
  evaluateSlice(slice, {
    begin: (cell) => Atomics.store(progress, BEGUN, cell + 1),
    say: (said: Said) => parentPort?.postMessage(said),
  });
});

parentPort?.postMessage('ready');
