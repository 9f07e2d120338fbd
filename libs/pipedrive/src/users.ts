import { z } from 'zod';
import type { Call } from './calling/call.ts';
import type { Outcome } from './calling/outcomes.ts';

/** A user of the company. */
export interface PipedriveUser {
  id: string;
  name: string;
  email: string | null;
  /** False: deactivated; the id stays valid on old records. */
  active: boolean;
  admin: boolean;
}

/** Who a credential belongs to. A connection is known by company and user together. */
export interface Me extends PipedriveUser {
  companyId: string;
  companyName: string;
  /** First label of the company's host, as in `acme.pipedrive.com`. */
  companyDomain: string;
  defaultCurrency: string | null;
  timezoneName: string | null;
}

export interface Users {
  getMe: () => Promise<Outcome<Me>>;
  listUsers: () => Promise<Outcome<PipedriveUser[]>>;
}

const id = z.union([z.number(), z.string()]).transform(String);
const flag = z.union([z.boolean(), z.number()]).nullish();

const rawUser = z.looseObject({
  id,
  name: z.string().nullish(),
  email: z.string().nullish(),
  active_flag: flag,
  is_admin: flag,
  access: z.array(z.looseObject({ admin: flag })).nullish(),
});

const rawMe = rawUser.extend({
  company_id: id,
  company_name: z.string().nullish(),
  company_domain: z.string(),
  default_currency: z.string().nullish(),
  timezone_name: z.string().nullish(),
});

const toUser = (user: z.infer<typeof rawUser>): PipedriveUser => ({
  id: user.id,
  name: user.name ?? '',
  email: user.email ?? null,
  active: user.active_flag !== false && user.active_flag !== 0,
  admin: Boolean(user.is_admin) || (user.access ?? []).some(({ admin }) => Boolean(admin)),
});

export const createUsers = (call: Call): Users => ({
  getMe: () =>
    call('getCurrentUser', {
      read: (data) => {
        const me = rawMe.parse(data);
        return {
          ...toUser(me),
          companyId: me.company_id,
          companyName: me.company_name ?? '',
          companyDomain: me.company_domain,
          defaultCurrency: me.default_currency ?? null,
          timezoneName: me.timezone_name ?? null,
        };
      },
    }),
  listUsers: () =>
    call('getUsers', {
      read: (data) =>
        z
          .array(rawUser)
          .parse(data ?? [])
          .map(toUser),
    }),
});
