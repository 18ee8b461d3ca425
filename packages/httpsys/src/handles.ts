declare const kind: unique symbol;

/** A Windows HANDLE of a request queue. 0n is never one. */
export type QueueHandle = bigint & { readonly [kind]: "queue" };
/** HTTP_SERVER_SESSION_ID. */
export type SessionId = bigint & { readonly [kind]: "session" };
/** HTTP_URL_GROUP_ID. */
export type UrlGroupId = bigint & { readonly [kind]: "url group" };
/** HTTP_REQUEST_ID: unique among the requests of a machine since its start. */
export type RequestId = bigint & { readonly [kind]: "request" };
/** HTTP_CONNECTION_ID. */
export type ConnectionId = bigint & { readonly [kind]: "connection" };
