import type { ApiRequest, Handlers } from '../http/api-request.ts';
import { Problem } from '../http/problem.ts';
import { data } from '../http/reply.ts';
import type { JsonObject } from '../json.ts';
import type { World } from '../world.ts';
import { findUser, listUsers, type User } from './users.ts';

export const userHandlers: Handlers = {
  'v1 getUsers': ({ actor }, { db }) => data(listUsers(db).map((user) => userJson(user, actor))),
  'v1 getUser': getUser,
  'v1 getCurrentUser': ({ actor }, world) =>
    data({ ...userJson(actor.user, actor), ...companyOf(world) }),
};

function getUser({ params, actor }: ApiRequest, { db }: World) {
  const user = findUser(db, Number(params.id));
  if (user === undefined)
    throw new Problem(404, { success: false, error: 'User not found or not accessible.' });
  return data(userJson(user, actor));
}

function userJson(user: User, actor: ApiRequest['actor']): JsonObject {
  return {
    id: user.id,
    name: user.name,
    default_currency: 'EUR',
    locale: 'en_US',
    lang: 1,
    email: user.email,
    phone: null,
    activated: user.active,
    last_login: user.created,
    created: user.created,
    modified: user.created,
    has_created_company: user.admin,
    access: ['sales', 'global', 'account_settings'].map((app) => ({
      app,
      admin: user.admin,
      permission_set_id: '62cc4d7f-4038-4352-abf3-a8c1c822b631',
    })),
    active_flag: user.active,
    timezone_name: 'Europe/Tallinn',
    timezone_offset: '+02:00',
    role_id: 1,
    icon_url: null,
    is_you: user.id === actor.user.id,
    is_deleted: false,
  };
}

function companyOf({ company }: World): JsonObject {
  return {
    company_id: company.id,
    company_name: company.name,
    company_domain: company.domain,
    company_country: company.country,
    company_industry: company.industry,
    language: { language_code: 'en', country_code: 'US' },
  };
}
