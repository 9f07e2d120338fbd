import type { Json, JsonObject } from '../json.ts';

/** A request answered with an error: thrown anywhere below the server, written out there. */
export class Problem extends Error {
  override name = 'Problem';
  readonly status: number;
  readonly body: JsonObject;

  constructor(status: number, body: JsonObject) {
    super(`${status}`);
    this.status = status;
    this.body = body;
  }
}

const HINT = 'Please check developers.pipedrive.com';

export interface Issue {
  key: string;
  message: string;
}

/** The one shape that is known from a live answer; see client-nodejs issue 651. */
export function invalid(issues: Issue[]): Problem {
  const list = issues.map(({ key, message }) => `${key}: ${message}`).join('; ');
  return new Problem(400, {
    success: false,
    error: `Validation failed: ${list}`,
    code: 'ERR_SCHEMA_VALIDATION_FAILED',
  });
}

export function invalidKey(key: string, message: string): Problem {
  return invalid([{ key, message }]);
}

export function refused(status: number, error: string, more: Record<string, Json> = {}): Problem {
  return new Problem(status, {
    success: false,
    error,
    error_info: HINT,
    data: null,
    additional_data: null,
    ...more,
  });
}

export function notFound(error = 'Entity was not found'): Problem {
  return refused(404, error, { error_info: 'Object was not found.' });
}

export function unauthorized(error = 'unauthorized access'): Problem {
  return new Problem(401, { success: false, error, errorCode: 401, error_info: HINT });
}

export function scopeMismatch(): Problem {
  return new Problem(403, {
    success: false,
    error: 'Scope and URL mismatch',
    errorCode: 403,
    error_info: HINT,
  });
}
