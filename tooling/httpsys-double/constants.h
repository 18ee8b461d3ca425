/* Flags, error codes and enumerations of the HTTP Server API. */
#ifndef CONSTANTS_H
#define CONSTANTS_H
#define HTTP_INITIALIZE_SERVER 1
#define HTTP_INITIALIZE_CONFIG 2
#define HTTP_CREATE_REQUEST_QUEUE_FLAG_OPEN_EXISTING 1
#define HTTP_CREATE_REQUEST_QUEUE_FLAG_CONTROLLER 2
#define HTTP_CREATE_REQUEST_QUEUE_FLAG_DELEGATION 8
#define HTTP_RECEIVE_REQUEST_FLAG_COPY_BODY 1
#define HTTP_RECEIVE_REQUEST_FLAG_FLUSH_BODY 2
#define HTTP_RECEIVE_REQUEST_ENTITY_BODY_FLAG_FILL_BUFFER 1
#define HTTP_SEND_RESPONSE_FLAG_DISCONNECT 1
#define HTTP_SEND_RESPONSE_FLAG_MORE_DATA 2
#define HTTP_SEND_RESPONSE_FLAG_BUFFER_DATA 4
#define HTTP_SEND_RESPONSE_FLAG_ENABLE_NAGLING 8
#define HTTP_SEND_RESPONSE_FLAG_PROCESS_RANGES 32
#define HTTP_SEND_RESPONSE_FLAG_OPAQUE 64
#define HTTP_SEND_RESPONSE_FLAG_GOAWAY 256
#define HTTP_SEND_RESPONSE_FLAG_AUTOMATIC_CHUNKING 512
#define HTTP_REQUEST_FLAG_MORE_ENTITY_BODY_EXISTS 1
#define HTTP_REQUEST_FLAG_IP_ROUTED 2
#define HTTP_REQUEST_FLAG_HTTP2 4
#define HTTP_REQUEST_FLAG_HTTP3 8
#define HTTP_RESPONSE_FLAG_MULTIPLE_ENCODINGS_AVAILABLE 1
#define HTTP_RESPONSE_FLAG_MORE_ENTITY_BODY_EXISTS 2
#define HTTP_RESPONSE_INFO_FLAGS_PRESERVE_ORDER 1
#define HTTP_URL_FLAG_REMOVE_ALL 1
#define HTTP_FLUSH_RESPONSE_FLAG_RECURSIVE 1
#define HTTP_NULL_ID 0
#define HTTP_PROPERTY_FLAGS_PRESENT 1
#define FILE_SKIP_COMPLETION_PORT_ON_SUCCESS 1
#define FILE_SKIP_SET_EVENT_ON_HANDLE 2
#define ERROR_SUCCESS 0u
#define ERROR_INVALID_FUNCTION 1u
#define ERROR_FILE_NOT_FOUND 2u
#define ERROR_PATH_NOT_FOUND 3u
#define ERROR_ACCESS_DENIED 5u
#define ERROR_INVALID_HANDLE 6u
#define ERROR_NOT_ENOUGH_MEMORY 8u
#define ERROR_SHARING_VIOLATION 32u
#define ERROR_HANDLE_EOF 38u
#define ERROR_NOT_SUPPORTED 50u
#define ERROR_NETNAME_DELETED 64u
#define ERROR_INVALID_PARAMETER 87u
#define ERROR_CALL_NOT_IMPLEMENTED 120u
#define ERROR_INSUFFICIENT_BUFFER 122u
#define ERROR_INVALID_NAME 123u
#define ERROR_PROC_NOT_FOUND 127u
#define ERROR_ALREADY_EXISTS 183u
#define ERROR_MORE_DATA 234u
#define WAIT_TIMEOUT 258u
#define ERROR_OPERATION_ABORTED 995u
#define ERROR_IO_INCOMPLETE 996u
#define ERROR_IO_PENDING 997u
#define ERROR_NOACCESS 998u
#define ERROR_DLL_INIT_FAILED 1114u
#define ERROR_NOT_FOUND 1168u
#define ERROR_CONNECTION_INVALID 1229u
#define ERROR_CONNECTION_ABORTED 1236u
#define ERROR_RETRY 1237u
#define ERROR_REVISION_MISMATCH 1306u
#define ERROR_INVALID_STATE 5023u
#define ERROR_INVALID_DATA 13u
#define ERROR_INVALID_OPERATION 4317u
#define ERROR_SERVICE_NOT_ACTIVE 1062u
#define ERROR_SERVICE_DISABLED 1058u
#define ERROR_NO_SYSTEM_RESOURCES 1450u
#define ERROR_OBJECT_ALREADY_EXISTS 5010u
#define ERROR_OBJECT_NO_LONGER_EXISTS 6807u
enum {
  HttpVerbUnparsed = 0,
  HttpVerbUnknown = 1,
  HttpVerbInvalid = 2,
  HttpVerbOPTIONS = 3,
  HttpVerbGET = 4,
  HttpVerbHEAD = 5,
  HttpVerbPOST = 6,
  HttpVerbPUT = 7,
  HttpVerbDELETE = 8,
  HttpVerbTRACE = 9,
  HttpVerbCONNECT = 10,
  HttpVerbTRACK = 11,
  HttpVerbMOVE = 12,
  HttpVerbCOPY = 13,
  HttpVerbPROPFIND = 14,
  HttpVerbPROPPATCH = 15,
  HttpVerbMKCOL = 16,
  HttpVerbLOCK = 17,
  HttpVerbUNLOCK = 18,
  HttpVerbSEARCH = 19,
  HttpVerbMaximum = 20,
};
enum {
  HttpServerAuthenticationProperty = 0,
  HttpServerLoggingProperty = 1,
  HttpServerQosProperty = 2,
  HttpServerTimeoutsProperty = 3,
  HttpServerQueueLengthProperty = 4,
  HttpServerStateProperty = 5,
  HttpServer503VerbosityProperty = 6,
  HttpServerBindingProperty = 7,
  HttpServerExtendedAuthenticationProperty = 8,
  HttpServerListenEndpointProperty = 9,
  HttpServerChannelBindProperty = 10,
  HttpServerProtectionLevelProperty = 11,
  HttpServerDelegationProperty = 16,
  HttpServerFastForwardingProperty = 18,
  HttpServerRequestInfoProperty = 19,
};
enum {
  HttpRequestPropertySni = 4,
};
enum {
  HttpDataChunkFromMemory = 0,
  HttpDataChunkFromFileHandle = 1,
  HttpDataChunkFromFragmentCache = 2,
  HttpDataChunkFromFragmentCacheEx = 3,
  HttpDataChunkTrailers = 4,
  HttpDataChunkFromWinHttpFastForwarding = 5,
};
enum {
  HttpFeatureUnknown = 0,
  HttpFeatureResponseTrailers = 1,
  HttpFeatureApiTimings = 2,
  HttpFeatureDelegateEx = 3,
  HttpFeatureHttp3 = 4,
  HttpFeatureTlsSessionTickets = 5,
  HttpFeatureDisableTlsSessionId = 6,
  HttpFeatureTlsDualCerts = 7,
  HttpFeatureAutomaticChunkedEncoding = 8,
  HttpFeatureDedicatedReqQueueDelegationType = 9,
  HttpFeatureFastForwardResponse = 10,
  HttpFeatureCacheTlsClientHello = 11,
  HttpFeatureIdleConnectionTimeoutRequestProperty = 12,
  HttpFeatureDisableAiaFlag = 13,
  HttpFeatureDscp = 14,
  HttpFeatureQueryCipherInfo = 15,
  HttpFeatureQueryInitialPacketTtl = 16,
  HttpFeatureTlsHandshakePerformanceCounters = 17,
};
#endif
