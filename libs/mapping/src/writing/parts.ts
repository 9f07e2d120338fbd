import type { MappedValue, MappingPart } from '@manifold/contracts';
import type { Conversion } from '../converting/conversion.ts';

/** The values rows gave for the parts of one target. */
export type Parts = Partial<Record<MappingPart, MappedValue>>;

/** Puts the parts of one target together, in the target's form. */
export type Join = (parts: Parts) => Conversion<MappedValue>;
