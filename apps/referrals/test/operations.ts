const USER = `id email firstName code link source isTest referralCount referredBy { id } campaign { id }
  attributes { key value } delivery { state reason fix settledAt mappingVersion request { id }
  person { pipedriveId pipedriveUrl } lead { pipedriveId pipedriveUrl } }`;
const CAMPAIGN = `id name state updateExisting linkBase mapping { id } connection { id }
  defaults { object field label value { number text } } formFields { key label required }`;

export const SIGN_UP = `mutation ($input: SignUpInput!) { signUp(input: $input) { created referralUser { ${USER} } } }`;
export const RETRY = `mutation ($input: RetryDeliveryInput!) { retryDelivery(input: $input) { referralUser { ${USER} } } }`;
export const USERS = `query ($filter: ReferralUserFilter, $orderBy: ReferralUserOrder, $first: Int, $after: String) {
  referralUsers(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {
    nodes { ${USER} } totalCount pageInfo { endCursor hasNextPage } } }`;
export const ONE_USER = `query ($id: ID!) { referralUser(id: $id) { ${USER} } }`;
export const SAVE = `mutation ($input: SaveCampaignInput!) { saveCampaign(input: $input) { campaign { ${CAMPAIGN} } } }`;
export const LAUNCH = `mutation ($input: LaunchCampaignInput!) { launchCampaign(input: $input) { campaign { ${CAMPAIGN} } } }`;
export const PAUSE = `mutation ($input: PauseCampaignInput!) { pauseCampaign(input: $input) { campaign { ${CAMPAIGN} } } }`;
export const ONE_CAMPAIGN = `query ($id: ID!) { campaign(id: $id) { ${CAMPAIGN} } }`;
export const CAMPAIGNS = `query ($filter: CampaignFilter, $orderBy: CampaignOrder, $first: Int, $after: String) {
  campaigns(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {
    nodes { ${CAMPAIGN} } totalCount pageInfo { endCursor hasNextPage } } }`;
