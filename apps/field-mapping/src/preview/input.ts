import { ConnectionId, FieldCode, FieldMappingId, MappingPurpose } from '@manifold/contracts';
import { boundedText, optional } from '@manifold/subgraph';
import { z } from 'zod';
import { Policy, Row, Value } from '../mappings/input.ts';

const PreviewInput = z
  .object({
    mappingId: optional(FieldMappingId),
    connectionId: optional(ConnectionId),
    purpose: optional(MappingPurpose),
    rows: optional(z.array(Row).max(1000)),
    policy: optional(Policy),
    object: z.enum(['PERSON', 'ORGANIZATION']),
    recordId: optional(boundedText(64).min(1)),
    existing: optional(z.array(z.object({ field: FieldCode, value: Value })).max(1000)),
  })
  .superRefine((input, context) => {
    if (input.mappingId !== undefined) return;
    for (const field of ['connectionId', 'purpose', 'rows'] as const) {
      if (input[field] !== undefined) continue;
      const message = 'is needed when no mapping is named';
      context.addIssue({ code: 'custom', path: [field], message });
    }
  });
export type PreviewInput = z.output<typeof PreviewInput>;

export const PreviewArguments = z.object({ input: PreviewInput });
