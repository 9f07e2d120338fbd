import type { VariableValue } from '@manifold/contracts';
import type { MappedRecord } from '@manifold/mapping';
import type { Person } from '../records.ts';
import {
  readAddressPart,
  readAmount,
  readChannels,
  readCurrency,
  readMoney,
  readPrimary,
  readRangeEnd,
  readRevenue,
  readTime,
  readTimeRange,
} from './composites.ts';
import type { Losses } from './losses.ts';
import { readLabels, readOption, readPermission, readYesOrNo } from './options.ts';
import { readBoolean, readDate, readInstant, readNumber, readText } from './plain.ts';

const LEVELS = new Map<unknown, string>([
  [1, 'Hot'],
  [2, 'Warm'],
  [3, 'Cold'],
]);
const ANSWERS = new Map<unknown, string>([
  [1, 'Yes'],
  [2, 'No'],
  [3, 'Unsure'],
]);

type Contact = Record<string, VariableValue>;

/**
 * `mappingSource` as somebody would write it who had this one mapping to do: the same checks, the
 * same values, the same reason for every loss, and nothing of the engine.
 */
export function mapByHand(person: Person): MappedRecord {
  const losses: Losses = [];
  const contact: Contact = {};
  mapBuiltIns(person, contact, losses);
  mapTextsAndNumbers(person, contact, losses);
  mapDates(person, contact, losses);
  mapOptions(person, contact, losses);
  const mayEmail = readPermission(person.marketing_status, 'may_email', losses);
  return {
    // everybody has a name, so there is always a contact
    values: mayEmail === undefined ? { contact } : { contact, permission: { email: mayEmail } },
    createOnlyValues: {},
    losses,
    missing: [],
  };
}

function mapBuiltIns(person: Person, contact: Contact, losses: Losses): void {
  const name = readText(person.name, 'name', losses);
  if (name !== undefined) contact.name = name;
  const firstName = readText(person.first_name, 'first_name', losses);
  if (firstName !== undefined) contact.first_name = firstName;
  const lastName = readText(person.last_name, 'last_name', losses);
  if (lastName !== undefined) contact.last_name = lastName;
  const email = readPrimary(person.emails, 'email', losses);
  if (email !== undefined) contact.email = email;
  const phones = readChannels(person.phones, 'phones', losses);
  if (phones !== undefined) contact.phones = phones;
  const jobTitle = readText(person.job_title, 'job_title', losses);
  if (jobTitle !== undefined) contact.job_title = jobTitle;
  const notes = readText(person.notes, 'notes', losses);
  if (notes !== undefined) contact.notes = notes;
  const birthday = readDate(person.birthday, 'birthday', losses);
  if (birthday !== undefined) contact.birthday = birthday;
  const knownSince = readInstant(person.add_time, 'known_since', losses);
  if (knownSince !== undefined) contact.known_since = knownSince;
  const organization = readNumber(person.org_id, 'organization', losses);
  if (organization !== undefined) contact.organization = organization;
  const owner = readNumber(person.owner_id, 'owner', losses);
  if (owner !== undefined) contact.owner = owner;
  const labels = readLabels(person.label_ids, LEVELS, 'labels', losses);
  if (labels !== undefined) contact.labels = labels === null ? null : labels.join(',');
  const visibility = readOption(person.visible_to, LEVELS, 'visibility', losses);
  if (visibility !== undefined) contact.visibility = visibility;
  const address = readAddressPart(person.postal_address, 'value', 'address', losses);
  if (address !== undefined) contact.address = address;
  const city = readAddressPart(person.postal_address, 'locality', 'city', losses);
  if (city !== undefined) contact.city = city;
}

function mapTextsAndNumbers(person: Person, contact: Contact, losses: Losses): void {
  const text1 = readText(person['0000000000000000000000000000000000000001'], 'text_1', losses);
  if (text1 !== undefined) contact.text_1 = text1;
  const text2 = readText(person['0000000000000000000000000000000000000002'], 'text_2', losses);
  if (text2 !== undefined) contact.text_2 = text2;
  const text3 = readText(person['0000000000000000000000000000000000000003'], 'text_3', losses);
  if (text3 !== undefined) contact.text_3 = text3;
  const text4 = readText(person['0000000000000000000000000000000000000004'], 'text_4', losses);
  if (text4 !== undefined) contact.text_4 = text4;
  const text5 = readText(person['0000000000000000000000000000000000000005'], 'text_5', losses);
  if (text5 !== undefined) contact.text_5 = text5;
  const text6 = readText(person['0000000000000000000000000000000000000006'], 'text_6', losses);
  if (text6 !== undefined) contact.text_6 = text6;
  const story = readText(person['0000000000000000000000000000000000000007'], 'story', losses);
  if (story !== undefined) contact.story = story;
  const score = readNumber(person['0000000000000000000000000000000000000008'], 'score', losses);
  if (score !== undefined) contact.score = score;
  const visits = readNumber(person['0000000000000000000000000000000000000009'], 'visits', losses);
  if (visits !== undefined) contact.visits = visits;
  const rating = readNumber(person['000000000000000000000000000000000000000a'], 'rating', losses);
  if (rating !== undefined) contact.rating = rating === null ? null : String(rating);
  const age = readNumber(person['000000000000000000000000000000000000000b'], 'age', losses);
  if (age !== undefined) contact.age = age;
  const budget = readMoney(person['000000000000000000000000000000000000000c'], 'budget', losses);
  if (budget !== undefined) contact.budget = budget;
  const dealSize = readAmount(
    person['000000000000000000000000000000000000000d'],
    'deal_size',
    losses,
  );
  if (dealSize !== undefined) contact.deal_size = dealSize;
  const dealSizeCurrency = readCurrency(
    person['000000000000000000000000000000000000000d'],
    'deal_size_currency',
    losses,
  );
  if (dealSizeCurrency !== undefined) contact.deal_size_currency = dealSizeCurrency;
  const revenue = readRevenue(
    person['000000000000000000000000000000000000000e'],
    'revenue',
    losses,
  );
  if (revenue !== undefined) contact.revenue = revenue;
}

function mapDates(person: Person, contact: Contact, losses: Losses): void {
  const signed = readDate(person['000000000000000000000000000000000000000f'], 'signed', losses);
  if (signed !== undefined) contact.signed = signed;
  const renews = readDate(person['0000000000000000000000000000000000000010'], 'renews', losses);
  if (renews !== undefined) contact.renews = renews === null ? null : `${renews}T00:00:00Z`;
  const contractStart = readRangeEnd(
    person['0000000000000000000000000000000000000011'],
    'value',
    'contract_start',
    losses,
  );
  if (contractStart !== undefined) contact.contract_start = contractStart;
  const contractEnd = readRangeEnd(
    person['0000000000000000000000000000000000000011'],
    'until',
    'contract_end',
    losses,
  );
  if (contractEnd !== undefined) contact.contract_end = contractEnd;
  const callAt = readTime(person['0000000000000000000000000000000000000012'], 'call_at', losses);
  if (callAt !== undefined) contact.call_at = callAt;
  const hours = readTimeRange(person['0000000000000000000000000000000000000013'], 'hours', losses);
  if (hours !== undefined) contact.hours = hours;
}

function mapOptions(person: Person, contact: Contact, losses: Losses): void {
  const interest = readOption(
    person['0000000000000000000000000000000000000014'],
    LEVELS,
    'interest',
    losses,
  );
  if (interest !== undefined) contact.interest = interest;
  const interests = readOption(
    person['0000000000000000000000000000000000000015'],
    LEVELS,
    'interests',
    losses,
  );
  if (interests !== undefined) contact.interests = interests === null ? null : [interests];
  const isCustomer = readYesOrNo(
    person['0000000000000000000000000000000000000016'],
    ANSWERS,
    'is_customer',
    losses,
  );
  if (isCustomer !== undefined) contact.is_customer = isCustomer;
  const topics = readLabels(
    person['0000000000000000000000000000000000000017'],
    LEVELS,
    'topics',
    losses,
  );
  if (topics !== undefined) contact.topics = topics;
  const directLine = readText(
    person['0000000000000000000000000000000000000018'],
    'direct_line',
    losses,
  );
  if (directLine !== undefined) contact.direct_line = directLine;
  const active = readBoolean(person['0000000000000000000000000000000000000019'], 'active', losses);
  if (active !== undefined) contact.active = active;
}
