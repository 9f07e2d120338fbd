import { z } from 'zod';
import type { Call } from '../calling/call.ts';
import type { Outcome } from '../calling/outcomes.ts';

/** Where the conversion of a lead stands; `dealId` is known once it is completed. */
export interface Conversion {
  id: string;
  status: 'not_started' | 'running' | 'completed' | 'failed' | 'rejected';
  dealId: string | null;
}

export interface Conversions {
  /** Begins to turn a lead into a deal. The lead is marked deleted when that is done. */
  convertLead: (
    leadId: string,
    target?: { pipelineId?: string; stageId?: string },
  ) => Promise<Outcome<{ conversionId: string }>>;
  getConversion: (leadId: string, conversionId: string) => Promise<Outcome<Conversion>>;
}

const begun = z.looseObject({ conversion_id: z.string() });
const state = z.looseObject({
  conversion_id: z.string(),
  status: z.enum(['not_started', 'running', 'completed', 'failed', 'rejected']),
  deal_id: z.union([z.number(), z.string()]).transform(String).nullish(),
});

export const createConversions = (call: Call): Conversions => ({
  convertLead: (leadId, { pipelineId, stageId } = {}) =>
    call('convertLeadToDeal', {
      path: { id: leadId },
      body: {
        ...(pipelineId === undefined ? {} : { pipeline_id: Number(pipelineId) }),
        ...(stageId === undefined ? {} : { stage_id: Number(stageId) }),
      },
      read: (data) => ({ conversionId: begun.parse(data).conversion_id }),
    }),
  getConversion: (leadId, conversionId) =>
    call('getLeadConversionStatus', {
      path: { id: leadId, conversionId },
      read: (data) => {
        const { conversion_id, status, deal_id } = state.parse(data);
        return { id: conversion_id, status, dealId: deal_id ?? null };
      },
    }),
});
