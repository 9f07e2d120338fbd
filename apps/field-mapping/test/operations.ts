const PARTS = `id name state version problems { code target } versions { version hash }
  rows { id source { object field label } target { object field type } status cause }`;
export const SAVE = `mutation ($input: SaveFieldMappingInput!) { saveFieldMapping(input: $input) { fieldMapping { ${PARTS} } } }`;
export const PUBLISH = `mutation ($input: PublishFieldMappingInput!) { publishFieldMapping(input: $input) { fieldMapping { ${PARTS} } } }`;
export const READ = `query ($id: ID!) { fieldMapping(id: $id) { ${PARTS} } }`;
export const LIST = `query ($filter: FieldMappingFilter, $orderBy: FieldMappingOrder, $first: Int, $after: String, $last: Int, $before: String) {
  fieldMappings(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {
    nodes { name } totalCount pageInfo { startCursor endCursor } } }`;
