import { z } from 'zod';
import type { Call } from './calling/call.ts';
import type { Outcome } from './calling/outcomes.ts';

export interface Pipeline {
  id: string;
  name: string;
  order: number;
}

export interface Stage extends Pipeline {
  pipelineId: string;
  /** In percent; null when the pipeline does not use it. */
  probability: number | null;
}

/** A kind of activity; activities name it by its key. */
export interface ActivityType {
  key: string;
  name: string;
  active: boolean;
  custom: boolean;
}

/** The lists a deal or an activity chooses from. Deleted entries are left out. */
export interface Pipelines {
  listPipelines: () => Promise<Outcome<Pipeline[]>>;
  /** Of all pipelines, or of one. */
  listStages: (pipelineId?: string) => Promise<Outcome<Stage[]>>;
  listActivityTypes: () => Promise<Outcome<ActivityType[]>>;
}

const id = z.union([z.number(), z.string()]).transform(String);
const place = {
  id,
  name: z.string(),
  order_nr: z.number().nullish(),
  is_deleted: z.boolean().nullish(),
};
const pipeline = z.looseObject(place);
const stage = z.looseObject({
  ...place,
  pipeline_id: id,
  deal_probability: z.number().nullish(),
});
const flag = z.union([z.boolean(), z.number()]).nullish();
const activityType = z.looseObject({
  key_string: z.string(),
  name: z.string(),
  active_flag: flag,
  is_custom_flag: flag,
});

export const createPipelines = (call: Call): Pipelines => ({
  listPipelines: () =>
    call('getPipelines', {
      query: { limit: 500 },
      read: (data) => living(z.array(pipeline).parse(data ?? [])).map(toPipeline),
    }),
  listStages: (pipelineId) =>
    call('getStages', {
      query: { limit: 500, pipeline_id: pipelineId },
      read: (data) =>
        living(z.array(stage).parse(data ?? [])).map((entry) => ({
          ...toPipeline(entry),
          pipelineId: entry.pipeline_id,
          probability: entry.deal_probability ?? null,
        })),
    }),
  listActivityTypes: () =>
    call('getActivityTypes', {
      read: (data) =>
        z
          .array(activityType)
          .parse(data ?? [])
          .map((type) => ({
            key: type.key_string,
            name: type.name,
            active: type.active_flag !== false && type.active_flag !== 0,
            custom: Boolean(type.is_custom_flag),
          })),
    }),
});

const living = <Entry extends { is_deleted?: boolean | null | undefined }>(entries: Entry[]) =>
  entries.filter((entry) => entry.is_deleted !== true);

const toPipeline = (entry: z.infer<typeof pipeline>): Pipeline => ({
  id: entry.id,
  name: entry.name,
  order: entry.order_nr ?? 0,
});
