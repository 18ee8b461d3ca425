import type { HeaderList } from "@proxy/http";

/** Schemes by which destinations authenticate a connection rather than a request (RFC 4559, 6, and what Windows has beside it). */
const connectionBound = /^(?:negotiate|nego2|ntlm|kerberos|credssp)(?![\w-])/i;

/**
 * Whether a destination may take all that comes on a connection for this client's, once it got a request with these fields: such a connection must
 * not be another client's afterwards. What a destination answers needs no look: it knows nobody whose request had no credentials.
 */
export function bindsConnection(headers: HeaderList): boolean {
  for (let i = headers.indexOf("authorization"); i >= 0; i = headers.indexOf("authorization", i + 1)) {
    const value = headers.valueAt(i);
    if (mayBeBound(value.charCodeAt(0)) && connectionBound.test(value)) return true;
  }
  return false;
}

/** Whether one of the schemes begins so: with N, K or C, in either case. Others are told apart by their first letter. */
function mayBeBound(first: number): boolean {
  const lower = first | 0x20;
  return lower === 0x6e || lower === 0x6b || lower === 0x63;
}
