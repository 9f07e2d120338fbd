import { describe, expect, test } from 'vitest';
import { fromWire, isHopeless, Refusal, type RefusalKind, refusals, toWire } from './index.ts';

const kinds = Object.keys(refusals).filter((kind): kind is RefusalKind => kind in refusals);
const detail = { reason: 'record_not_found', field: 'input.id', fix: 'Use another id.' };

describe.each(kinds)('a refusal of kind %s', (kind) => {
  test('travels between services unchanged', () => {
    const refusal = new Refusal(kind, 'There is no such thing', detail);
    const arrived = fromWire(JSON.parse(JSON.stringify(toWire(refusal))));

    expect(arrived).toBeInstanceOf(Refusal);
    expect(arrived).toMatchObject({ kind, message: 'There is no such thing', detail });
  });

  test('is hopeless exactly when trying again is not worth it', () => {
    expect(isHopeless(new Refusal(kind, 'no', { reason: 'x' }))).toBe(
      !refusals[kind].worthRetrying,
    );
  });

  test('has a code of its own for clients', () => {
    const codes = kinds.map((each) => refusals[each].graphqlCode);
    expect(codes.filter((code) => code === refusals[kind].graphqlCode)).toHaveLength(1);
  });
});

test('a refusal without field and fix stays without them on its way', () => {
  const wire = toWire(new Refusal('invalid', 'no', { reason: 'invalid_input' }));
  expect(wire).toEqual({ kind: 'invalid', message: 'no', reason: 'invalid_input' });
});

test('absence may heal, a bug may heal, a wrong shape never does', () => {
  const wrongShape = Object.assign(new Error('wrong'), { name: 'ZodError' });

  expect(isHopeless(new Refusal('not_found', 'not yet', { reason: 'record_not_found' }))).toBe(
    false,
  );
  expect(isHopeless(new TypeError('bug'))).toBe(false);
  expect(isHopeless('thrown text')).toBe(false);
  expect(isHopeless(wrongShape)).toBe(true);
});

test('the cause of a refusal stays with it, for the log', () => {
  const cause = new Error('socket closed');
  expect(new Refusal('unavailable', 'no', { reason: 'service_unavailable' }, { cause }).cause).toBe(
    cause,
  );
});
