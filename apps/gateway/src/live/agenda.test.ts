import { expect, test } from 'vitest';
import { createAgenda } from './agenda.ts';

const declaration = { query: 'book', events: ['books.book_changed.v1'], argument: 'id', key: 'id' };
const about = (id: unknown) => ({ news: 'event', payload: { id } }) as const;
const rest = (agenda: ReturnType<typeof createAgenda>) => {
  const steps = [];
  for (let step = agenda.next(); step; step = agenda.next()) steps.push(step);
  return steps;
};

test('one thing is asked at once, and once for any number of events about it', () => {
  const agenda = createAgenda({ declaration, followed: 'b1' });
  expect(rest(agenda)).toEqual([{ step: 'ask', followed: 'b1' }]);
  for (const id of ['b1', 'b2', ['b3', 'b1']]) agenda.note(about(id));
  expect(rest(agenda)).toEqual([{ step: 'ask', followed: 'b1' }]);
  agenda.note(about('b2'));
  expect(rest(agenda)).toEqual([]);
});

test('an event that names nothing concerns whoever listens', () => {
  const agenda = createAgenda({ declaration, followed: 'b1' });
  rest(agenda);
  agenda.note({ news: 'event', payload: undefined });
  expect(rest(agenda)).toEqual([{ step: 'ask', followed: 'b1' }]);
});

test('without a thing each one named is asked once', () => {
  const agenda = createAgenda({ declaration, followed: null });
  for (const id of ['b1', ['b2', 'b1'], 7]) agenda.note(about(id));
  expect(rest(agenda).map((step) => step.step === 'ask' && step.followed)).toEqual(['b1', 'b2']);
});

test('more things than are told one by one are told as that', () => {
  const agenda = createAgenda({ declaration, followed: null });
  for (let count = 0; count < 101; count += 1) agenda.note(about(`b${count}`));
  agenda.note(about('last'));
  expect(rest(agenda)).toEqual([
    { step: 'tell', what: 'overrun' },
    { step: 'ask', followed: 'last' },
  ]);
});

test('after a loss it is said, and one thing is asked anew', () => {
  const one = createAgenda({ declaration, followed: 'b1' });
  const any = createAgenda({ declaration, followed: null });
  rest(one);
  for (const agenda of [one, any]) agenda.note({ news: 'lost' });
  expect(rest(one)).toEqual([{ step: 'tell', what: 'lost' }]);
  for (const agenda of [one, any]) agenda.note({ news: 'restored' });
  expect(rest(one)).toEqual([{ step: 'ask', followed: 'b1' }]);
  expect(rest(any)).toEqual([{ step: 'tell', what: 'lost' }]);
});

test('what came to nothing is asked once more', () => {
  for (const followed of ['b1', null, undefined]) {
    const agenda = createAgenda({ declaration, followed });
    agenda.note(about('b1'));
    const [step] = rest(agenda);
    agenda.repeat(step);
    expect(rest(agenda)).toEqual([step]);
  }
});
