import type { AddressValue, ChannelValue, MonetaryValue, OptionId } from '@manifold/contracts';

/** What a field's value is told by; records are not trusted to fit their catalogue. */
export const isJson = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const isOptionId = (value: unknown): value is OptionId =>
  typeof value === 'number' || typeof value === 'string';

export const isMonetary = (value: unknown): value is MonetaryValue =>
  isJson(value) &&
  Number.isFinite(value.value) &&
  (value.currency === null || typeof value.currency === 'string');

export const isAddress = (value: unknown): value is AddressValue & Record<string, unknown> =>
  isJson(value) && typeof value.value === 'string';

export const isChannels = (value: unknown): value is ChannelValue[] =>
  Array.isArray(value) && value.every(isChannel);

const isChannel = (item: unknown): boolean =>
  isJson(item) &&
  typeof item.value === 'string' &&
  typeof item.label === 'string' &&
  typeof item.primary === 'boolean';
