/** Types as people see them: those of records have no number, and long names are short. */
export const typeName = (type: string): string =>
  type
    .replaceAll('google.protobuf.Timestamp', 'timestamp')
    .replaceAll('google.protobuf.Duration', 'duration')
    .replace(/\bobject\.\d+/g, 'record')
    .replace(/\bdyn<(.+?)>/g, '$1');
