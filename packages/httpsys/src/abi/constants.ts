/** Constants of the HTTP Server API and the Windows error codes that it gives. */

/** HTTP_* flags and the few Windows ones that go with them. */
export const flag = {
  HTTP_INITIALIZE_SERVER: 1,
  HTTP_INITIALIZE_CONFIG: 2,
  HTTP_CREATE_REQUEST_QUEUE_FLAG_OPEN_EXISTING: 1,
  HTTP_CREATE_REQUEST_QUEUE_FLAG_CONTROLLER: 2,
  HTTP_CREATE_REQUEST_QUEUE_FLAG_DELEGATION: 8,
  HTTP_RECEIVE_REQUEST_FLAG_COPY_BODY: 1,
  HTTP_RECEIVE_REQUEST_FLAG_FLUSH_BODY: 2,
  HTTP_RECEIVE_REQUEST_ENTITY_BODY_FLAG_FILL_BUFFER: 1,
  HTTP_SEND_RESPONSE_FLAG_DISCONNECT: 1,
  HTTP_SEND_RESPONSE_FLAG_MORE_DATA: 2,
  HTTP_SEND_RESPONSE_FLAG_BUFFER_DATA: 4,
  HTTP_SEND_RESPONSE_FLAG_ENABLE_NAGLING: 8,
  HTTP_SEND_RESPONSE_FLAG_PROCESS_RANGES: 32,
  HTTP_SEND_RESPONSE_FLAG_OPAQUE: 64,
  HTTP_SEND_RESPONSE_FLAG_GOAWAY: 256,
  HTTP_SEND_RESPONSE_FLAG_AUTOMATIC_CHUNKING: 512,
  HTTP_REQUEST_FLAG_MORE_ENTITY_BODY_EXISTS: 1,
  HTTP_REQUEST_FLAG_IP_ROUTED: 2,
  HTTP_REQUEST_FLAG_HTTP2: 4,
  HTTP_REQUEST_FLAG_HTTP3: 8,
  HTTP_RESPONSE_FLAG_MULTIPLE_ENCODINGS_AVAILABLE: 1,
  HTTP_RESPONSE_FLAG_MORE_ENTITY_BODY_EXISTS: 2,
  HTTP_RESPONSE_INFO_FLAGS_PRESERVE_ORDER: 1,
  HTTP_URL_FLAG_REMOVE_ALL: 1,
  HTTP_FLUSH_RESPONSE_FLAG_RECURSIVE: 1,
  HTTP_NULL_ID: 0,
  HTTP_PROPERTY_FLAGS_PRESENT: 1,
  FILE_SKIP_COMPLETION_PORT_ON_SUCCESS: 1,
  FILE_SKIP_SET_EVENT_ON_HANDLE: 2,
  AF_INET: 2,
  AF_INET6: 23,
} as const;

/** Windows error codes. */
export const errorCode = {
  ERROR_SUCCESS: 0,
  ERROR_INVALID_FUNCTION: 1,
  ERROR_FILE_NOT_FOUND: 2,
  ERROR_PATH_NOT_FOUND: 3,
  ERROR_ACCESS_DENIED: 5,
  ERROR_INVALID_HANDLE: 6,
  ERROR_NOT_ENOUGH_MEMORY: 8,
  ERROR_SHARING_VIOLATION: 32,
  ERROR_HANDLE_EOF: 38,
  ERROR_NOT_SUPPORTED: 50,
  ERROR_NETNAME_DELETED: 64,
  ERROR_INVALID_PARAMETER: 87,
  ERROR_CALL_NOT_IMPLEMENTED: 120,
  ERROR_INSUFFICIENT_BUFFER: 122,
  ERROR_INVALID_NAME: 123,
  ERROR_PROC_NOT_FOUND: 127,
  ERROR_ALREADY_EXISTS: 183,
  ERROR_MORE_DATA: 234,
  WAIT_TIMEOUT: 258,
  ERROR_OPERATION_ABORTED: 995,
  ERROR_IO_INCOMPLETE: 996,
  ERROR_IO_PENDING: 997,
  ERROR_NOACCESS: 998,
  ERROR_DLL_INIT_FAILED: 1114,
  ERROR_NOT_FOUND: 1168,
  ERROR_CONNECTION_INVALID: 1229,
  ERROR_CONNECTION_ABORTED: 1236,
  ERROR_RETRY: 1237,
  ERROR_REVISION_MISMATCH: 1306,
  ERROR_INVALID_STATE: 5023,
  ERROR_INVALID_DATA: 13,
  ERROR_INVALID_OPERATION: 4317,
  ERROR_SERVICE_NOT_ACTIVE: 1062,
  ERROR_SERVICE_DISABLED: 1058,
  ERROR_NO_SYSTEM_RESOURCES: 1450,
  ERROR_OBJECT_ALREADY_EXISTS: 5010,
  ERROR_OBJECT_NO_LONGER_EXISTS: 6807,
} as const;

/** The names of `errorCode` by number. */
export const errorNames: ReadonlyMap<number, string> = new Map(Object.entries(errorCode).map(([name, code]) => [code, name]));

/** HTTP_VERB. */
export const verb = {
  HttpVerbUnparsed: 0,
  HttpVerbUnknown: 1,
  HttpVerbInvalid: 2,
  HttpVerbOPTIONS: 3,
  HttpVerbGET: 4,
  HttpVerbHEAD: 5,
  HttpVerbPOST: 6,
  HttpVerbPUT: 7,
  HttpVerbDELETE: 8,
  HttpVerbTRACE: 9,
  HttpVerbCONNECT: 10,
  HttpVerbTRACK: 11,
  HttpVerbMOVE: 12,
  HttpVerbCOPY: 13,
  HttpVerbPROPFIND: 14,
  HttpVerbPROPPATCH: 15,
  HttpVerbMKCOL: 16,
  HttpVerbLOCK: 17,
  HttpVerbUNLOCK: 18,
  HttpVerbSEARCH: 19,
  HttpVerbMaximum: 20,
} as const;

/** HTTP_HEADER_ID of a request: the wire name at the index that is its id. */
export const requestHeaderIds: readonly string[] = [
  "Cache-Control",
  "Connection",
  "Date",
  "Keep-Alive",
  "Pragma",
  "Trailer",
  "Transfer-Encoding",
  "Upgrade",
  "Via",
  "Warning",
  "Allow",
  "Content-Length",
  "Content-Type",
  "Content-Encoding",
  "Content-Language",
  "Content-Location",
  "Content-MD5",
  "Content-Range",
  "Expires",
  "Last-Modified",
  "Accept",
  "Accept-Charset",
  "Accept-Encoding",
  "Accept-Language",
  "Authorization",
  "Cookie",
  "Expect",
  "From",
  "Host",
  "If-Match",
  "If-Modified-Since",
  "If-None-Match",
  "If-Range",
  "If-Unmodified-Since",
  "Max-Forwards",
  "Proxy-Authorization",
  "Referer",
  "Range",
  "TE",
  "Translate",
  "User-Agent",
];

/** HTTP_HEADER_ID of a response: the wire name at the index that is its id. */
export const responseHeaderIds: readonly string[] = [
  "Cache-Control",
  "Connection",
  "Date",
  "Keep-Alive",
  "Pragma",
  "Trailer",
  "Transfer-Encoding",
  "Upgrade",
  "Via",
  "Warning",
  "Allow",
  "Content-Length",
  "Content-Type",
  "Content-Encoding",
  "Content-Language",
  "Content-Location",
  "Content-MD5",
  "Content-Range",
  "Expires",
  "Last-Modified",
  "Accept-Ranges",
  "Age",
  "ETag",
  "Location",
  "Proxy-Authenticate",
  "Retry-After",
  "Server",
  "Set-Cookie",
  "Vary",
  "WWW-Authenticate",
];

/** HTTP_HEADER_ID_limits. */
export const headerIdLimits = {
  HttpHeaderRequestMaximum: 41,
  HttpHeaderResponseMaximum: 30,
  HttpHeaderMaximum: 41,
} as const;

/** HTTP_DATA_CHUNK_TYPE. */
export const dataChunkType = {
  HttpDataChunkFromMemory: 0,
  HttpDataChunkFromFileHandle: 1,
  HttpDataChunkFromFragmentCache: 2,
  HttpDataChunkFromFragmentCacheEx: 3,
  HttpDataChunkTrailers: 4,
  HttpDataChunkFromWinHttpFastForwarding: 5,
} as const;

/** HTTP_SERVER_PROPERTY. */
export const serverProperty = {
  HttpServerAuthenticationProperty: 0,
  HttpServerLoggingProperty: 1,
  HttpServerQosProperty: 2,
  HttpServerTimeoutsProperty: 3,
  HttpServerQueueLengthProperty: 4,
  HttpServerStateProperty: 5,
  HttpServer503VerbosityProperty: 6,
  HttpServerBindingProperty: 7,
  HttpServerExtendedAuthenticationProperty: 8,
  HttpServerListenEndpointProperty: 9,
  HttpServerChannelBindProperty: 10,
  HttpServerProtectionLevelProperty: 11,
  HttpServerDelegationProperty: 16,
  HttpServerFastForwardingProperty: 18,
  HttpServerRequestInfoProperty: 19,
} as const;

/** HTTP_FEATURE_ID. */
export const featureId = {
  HttpFeatureUnknown: 0,
  HttpFeatureResponseTrailers: 1,
  HttpFeatureApiTimings: 2,
  HttpFeatureDelegateEx: 3,
  HttpFeatureHttp3: 4,
  HttpFeatureTlsSessionTickets: 5,
  HttpFeatureDisableTlsSessionId: 6,
  HttpFeatureTlsDualCerts: 7,
  HttpFeatureAutomaticChunkedEncoding: 8,
  HttpFeatureDedicatedReqQueueDelegationType: 9,
  HttpFeatureFastForwardResponse: 10,
  HttpFeatureCacheTlsClientHello: 11,
  HttpFeatureIdleConnectionTimeoutRequestProperty: 12,
  HttpFeatureDisableAiaFlag: 13,
  HttpFeatureDscp: 14,
  HttpFeatureQueryCipherInfo: 15,
  HttpFeatureQueryInitialPacketTtl: 16,
  HttpFeatureTlsHandshakePerformanceCounters: 17,
  HttpFeaturemax: 4294967295,
} as const;

/** HTTP_DELEGATE_REQUEST_PROPERTY_ID. */
export const delegateRequestPropertyId = {
  DelegateRequestReservedProperty: 0,
  DelegateRequestDelegateUrlProperty: 1,
} as const;

/** HTTP_CREATE_REQUEST_QUEUE_PROPERTY_ID. */
export const createRequestQueuePropertyId = {
  CreateRequestQueueExternalIdProperty: 1,
  CreateRequestQueueMax: 2,
} as const;

/** HTTP_REQUEST_INFO_TYPE. */
export const requestInfoType = {
  HttpRequestInfoTypeAuth: 0,
  HttpRequestInfoTypeChannelBind: 1,
  HttpRequestInfoTypeSslProtocol: 2,
  HttpRequestInfoTypeSslTokenBindingDraft: 3,
  HttpRequestInfoTypeSslTokenBinding: 4,
  HttpRequestInfoTypeRequestTiming: 5,
  HttpRequestInfoTypeTcpInfoV0: 6,
  HttpRequestInfoTypeRequestSizing: 7,
  HttpRequestInfoTypeQuicStats: 8,
  HttpRequestInfoTypeTcpInfoV1: 9,
  HttpRequestInfoTypeQuicStatsV2: 10,
  HttpRequestInfoTypeTcpInfoV2: 11,
  HttpRequestInfoTypeTransportIdleConnectionTimeout: 12,
  HttpRequestInfoTypeDscpTag: 13,
  HttpRequestInfoTypeInitialPacketTtl: 14,
} as const;

/** HTTP_RESPONSE_INFO_TYPE. */
export const responseInfoType = {
  HttpResponseInfoTypeMultipleKnownHeaders: 0,
  HttpResponseInfoTypeAuthenticationProperty: 1,
  HttpResponseInfoTypeQoSProperty: 2,
  HttpResponseInfoTypeChannelBind: 3,
} as const;

/** HTTP_REQUEST_PROPERTY. */
export const requestProperty = {
  HttpRequestPropertyIsb: 0,
  HttpRequestPropertyTcpInfoV0: 1,
  HttpRequestPropertyQuicStats: 2,
  HttpRequestPropertyTcpInfoV1: 3,
  HttpRequestPropertySni: 4,
  HttpRequestPropertyStreamError: 5,
  HttpRequestPropertyWskApiTimings: 6,
  HttpRequestPropertyQuicApiTimings: 7,
  HttpRequestPropertyQuicStatsV2: 8,
  HttpRequestPropertyQuicStreamStats: 9,
  HttpRequestPropertyTcpInfoV2: 10,
  HttpRequestPropertyTlsClientHello: 11,
  HttpRequestPropertyTransportIdleConnectionTimeout: 12,
  HttpRequestPropertyDscpTag: 13,
  HttpRequestPropertyTlsCipherInfo: 14,
} as const;

/** HTTP_REQUEST_TIMING_TYPE. */
export const requestTimingType = {
  HttpRequestTimingTypeConnectionStart: 0,
  HttpRequestTimingTypeDataStart: 1,
  HttpRequestTimingTypeTlsCertificateLoadStart: 2,
  HttpRequestTimingTypeTlsCertificateLoadEnd: 3,
  HttpRequestTimingTypeTlsHandshakeLeg1Start: 4,
  HttpRequestTimingTypeTlsHandshakeLeg1End: 5,
  HttpRequestTimingTypeTlsHandshakeLeg2Start: 6,
  HttpRequestTimingTypeTlsHandshakeLeg2End: 7,
  HttpRequestTimingTypeTlsAttributesQueryStart: 8,
  HttpRequestTimingTypeTlsAttributesQueryEnd: 9,
  HttpRequestTimingTypeTlsClientCertQueryStart: 10,
  HttpRequestTimingTypeTlsClientCertQueryEnd: 11,
  HttpRequestTimingTypeHttp2StreamStart: 12,
  HttpRequestTimingTypeHttp2HeaderDecodeStart: 13,
  HttpRequestTimingTypeHttp2HeaderDecodeEnd: 14,
  HttpRequestTimingTypeRequestHeaderParseStart: 15,
  HttpRequestTimingTypeRequestHeaderParseEnd: 16,
  HttpRequestTimingTypeRequestRoutingStart: 17,
  HttpRequestTimingTypeRequestRoutingEnd: 18,
  HttpRequestTimingTypeRequestQueuedForInspection: 19,
  HttpRequestTimingTypeRequestDeliveredForInspection: 20,
  HttpRequestTimingTypeRequestReturnedAfterInspection: 21,
  HttpRequestTimingTypeRequestQueuedForDelegation: 22,
  HttpRequestTimingTypeRequestDeliveredForDelegation: 23,
  HttpRequestTimingTypeRequestReturnedAfterDelegation: 24,
  HttpRequestTimingTypeRequestQueuedForIO: 25,
  HttpRequestTimingTypeRequestDeliveredForIO: 26,
  HttpRequestTimingTypeHttp3StreamStart: 27,
  HttpRequestTimingTypeHttp3HeaderDecodeStart: 28,
  HttpRequestTimingTypeHttp3HeaderDecodeEnd: 29,
} as const;

/** HTTP_ENABLED_STATE. */
export const enabledState = {
  HttpEnabledStateActive: 0,
  HttpEnabledStateInactive: 1,
} as const;

/** HTTP_503_RESPONSE_VERBOSITY. */
export const verbosity503 = {
  Http503ResponseVerbosityBasic: 0,
  Http503ResponseVerbosityLimited: 1,
  Http503ResponseVerbosityFull: 2,
} as const;

/** HTTP_QOS_SETTING_TYPE. */
export const qosSettingType = {
  HttpQosSettingTypeBandwidth: 0,
  HttpQosSettingTypeConnectionLimit: 1,
  HttpQosSettingTypeFlowRate: 2,
} as const;

/** HTTP_CACHE_POLICY_TYPE. */
export const cachePolicyType = {
  HttpCachePolicyNocache: 0,
  HttpCachePolicyUserInvalidates: 1,
  HttpCachePolicyTimeToLive: 2,
} as const;

/** HTTP_AUTH_STATUS. */
export const authStatus = {
  HttpAuthStatusSuccess: 0,
  HttpAuthStatusNotAuthenticated: 1,
  HttpAuthStatusFailure: 2,
} as const;

/** HTTP_REQUEST_AUTH_TYPE. */
export const requestAuthType = {
  HttpRequestAuthTypeNone: 0,
  HttpRequestAuthTypeBasic: 1,
  HttpRequestAuthTypeDigest: 2,
  HttpRequestAuthTypeNTLM: 3,
  HttpRequestAuthTypeNegotiate: 4,
  HttpRequestAuthTypeKerberos: 5,
} as const;
