import { checkAddress } from '../fields/custom-values.ts';
import { isObject, type JsonObject } from '../json.ts';
import {
  applyLabels,
  applyLinks,
  applyText,
  applyVisibility,
  areOptions,
  assign,
  type BuildContext,
  type Kind,
} from './kind.ts';

export const organization: Kind = {
  empty: ({ userId }) => ({
    id: 0,
    name: '',
    owner_id: userId,
    add_time: '',
    update_time: '',
    address: null,
    is_deleted: false,
    visible_to: 3,
    label_ids: [],
    website: null,
    linkedin: null,
    industry: null,
    annual_revenue: null,
    employee_count: null,
  }),
  apply: applyOrganization,
};

function applyOrganization(
  base: JsonObject,
  body: JsonObject,
  _: JsonObject | undefined,
  context: BuildContext,
): void {
  const { world, issues } = context;
  applyText(base, body, 'name', context);
  assign(base, body, ['website', 'linkedin', 'industry', 'annual_revenue', 'employee_count']);
  if (body.address === null) base.address = null;
  else if (isObject(body.address)) {
    const checked = checkAddress(body.address);
    if ('wrong' in checked) issues.push({ key: 'address', message: checked.wrong });
    else base.address = checked.value;
  }
  applyLinks(base, body, ['owner_id'], context);
  applyVisibility(base, body, context);
  applyLabels('organization', base, body, context);
  const industry = typeof body.industry === 'number' ? [body.industry] : [];
  if (!areOptions(world.fields.find('organization', 'industry'), industry))
    issues.push({ key: 'industry', message: 'Invalid option' });
}
