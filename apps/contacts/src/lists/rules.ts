import type { Permission, PermissionChannel } from '@manifold/contracts';
import type { SortDirection } from '@manifold/subgraph';
import type { Contact } from '../store.ts';

/** A condition on one variable; the parts that are given must all hold. */
export interface VariableCondition {
  key: string;
  equals?: string | undefined;
  equalsNumber?: number | undefined;
  equalsBoolean?: boolean | undefined;
  contains?: string | undefined;
  includes?: string | undefined;
  greaterThan?: number | undefined;
  lessThan?: number | undefined;
  after?: string | undefined;
  before?: string | undefined;
  isSet?: boolean | undefined;
}

/** Conditions on contacts or accounts; all must hold. */
export interface EntityFilter {
  email?: string | undefined;
  emailContains?: string | undefined;
  nameContains?: string | undefined;
  accountId?: string | undefined;
  dataSourceId?: string | undefined;
  updatedAfter?: Date | undefined;
  updatedBefore?: Date | undefined;
  variable?: VariableCondition | undefined;
  /** Of contacts only. */
  subscription?: { channel: PermissionChannel; permission: Permission } | undefined;
  and?: EntityFilter[] | undefined;
  or?: EntityFilter[] | undefined;
  not?: EntityFilter | undefined;
}

export const orderFields = ['NAME', 'EMAIL', 'CREATED_AT', 'UPDATED_AT'] as const;
export type OrderField = (typeof orderFields)[number];

export interface Order {
  field: OrderField;
  direction: SortDirection;
}

type Ordered = Pick<Contact, 'name_sort' | 'created_at' | 'updated_at'> & {
  id: string;
  email?: string;
};

/** The values a page is continued by. */
export function cursorOf(order: Order, row: Ordered): string[] {
  switch (order.field) {
    case 'NAME':
      return [row.name_sort, row.id];
    case 'EMAIL':
      return [row.email ?? '', row.id];
    case 'CREATED_AT':
      return [row.created_at.toISOString(), row.id];
    case 'UPDATED_AT':
      return [row.updated_at.toISOString(), row.id];
  }
}
