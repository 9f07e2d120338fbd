/**
 * The origin to call for an `api_domain` that came with a grant, or undefined when it must not be
 * called: only https on a host below `pipedrive.com`, or an origin the operator allowed by name.
 */
export function parseApiDomain(
  apiDomain: string,
  allowedApiDomains: readonly string[] = [],
): string | undefined {
  if (!URL.canParse(apiDomain)) return undefined;
  const url = new URL(apiDomain);
  if (url.username !== '' || url.password !== '') return undefined;
  if (
    allowedApiDomains.some(
      (allowed) => URL.canParse(allowed) && new URL(allowed).origin === url.origin,
    )
  ) {
    return url.origin;
  }
  const ours =
    url.protocol === 'https:' && url.port === '' && url.hostname.endsWith('.pipedrive.com');
  return ours ? url.origin : undefined;
}
