import { expect, test } from 'vitest';
import { createChangeLists, type Listed } from './change-lists.ts';

const at = (seconds: number) => new Date(Date.UTC(2026, 2, 1, 10, 0, seconds));
const nothing: Listed = { outcome: 'ok', records: [] };

/** Lists that end when the test says so. */
function watched() {
  let now = at(100);
  const started: Date[] = [];
  const ends: PromiseWithResolvers<Listed>[] = [];
  const lists = createChangeLists(() => now);
  const read = (need: { notBefore: Date; since: Date }, key = 'cn|person') =>
    lists.read({ ...need, key }, (since) => {
      started.push(since);
      const end = Promise.withResolvers<Listed>();
      ends.push(end);
      return end.promise;
    });
  return {
    read,
    started,
    end: (listed = nothing) => ends.shift()?.resolve(listed),
    fail: (error: Error) => ends.shift()?.reject(error),
    set: (to: Date) => (now = to),
  };
}

test('whoever waits for one kind of record shares one list that reaches back far enough', async () => {
  const { read, started, end } = watched();
  const waiting = [40, 30, 50].map((since) => read({ notBefore: at(90), since: at(since) }));
  await Promise.resolve();
  // the first could not know of the others
  expect(started).toEqual([at(30)]);
  end();
  await waiting[0];
  end();
  await Promise.all(waiting);
  expect(started.length).toBeLessThanOrEqual(2);
});

test('a list that was begun before the settle time was over serves nobody who waited for it', async () => {
  const { read, started, end, set } = watched();
  const early = read({ notBefore: at(90), since: at(40) });
  set(at(110));
  const late = read({ notBefore: at(105), since: at(50) });
  end();
  await early;
  await Promise.resolve();
  expect(started).toHaveLength(2);
  end();
  expect(await late).toEqual(nothing);
});

test('a list serves those who come a little later, and is read anew for others', async () => {
  const { read, started, end, set } = watched();
  const first = read({ notBefore: at(90), since: at(40) });
  end();
  await first;
  set(at(125));
  await read({ notBefore: at(95), since: at(45) });
  expect(started).toHaveLength(1);
  set(at(135));
  const anew = read({ notBefore: at(95), since: at(45) });
  end();
  await anew;
  expect(started).toHaveLength(2);
});

test('a list that failed is asked for again by the next, and kinds of record do not mix', async () => {
  const { read, started, end } = watched();
  const failing = read({ notBefore: at(90), since: at(40) });
  end({ outcome: 'failed', failure: { outcome: 'blocked' } });
  expect((await failing).outcome).toBe('failed');
  const again = read({ notBefore: at(90), since: at(40) });
  const other = read({ notBefore: at(90), since: at(40) }, 'cn|lead');
  end();
  end();
  expect([await again, await other]).toEqual([nothing, nothing]);
  expect(started).toHaveLength(3);
});

test('a list that broke off fails those who shared it, and is asked for again by the next', async () => {
  const { read, started, end, fail } = watched();
  const sharing = [read({ notBefore: at(90), since: at(40) })];
  sharing.push(read({ notBefore: at(90), since: at(45) }));
  fail(new Error('the connection is switched off'));
  for (const one of sharing) await expect(one).rejects.toThrow('switched off');
  const again = read({ notBefore: at(90), since: at(40) });
  end();
  expect(await again).toEqual(nothing);
  expect(started).toHaveLength(2);
});
