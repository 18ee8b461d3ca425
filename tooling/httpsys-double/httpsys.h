/* The structures of the HTTP Server API for x64 in fixed-width types; pointers and handles are uint64_t. */
#ifndef HTTPSYS_H
#define HTTPSYS_H
#include <stdint.h>

typedef struct {
  uint16_t HttpApiMajorVersion;
  uint16_t HttpApiMinorVersion;
} HTTPAPI_VERSION;

typedef struct {
  uint16_t MajorVersion;
  uint16_t MinorVersion;
} HTTP_VERSION;

typedef struct {
  uint64_t StartingOffset;
  uint64_t Length;
} HTTP_BYTE_RANGE;

typedef struct {
  uint16_t RawValueLength;
  uint64_t pRawValue;
} HTTP_KNOWN_HEADER;

typedef struct {
  uint16_t NameLength;
  uint16_t RawValueLength;
  uint64_t pName;
  uint64_t pRawValue;
} HTTP_UNKNOWN_HEADER;

typedef struct {
  uint16_t UnknownHeaderCount;
  uint64_t pUnknownHeaders;
  uint16_t TrailerCount;
  uint64_t pTrailers;
  HTTP_KNOWN_HEADER KnownHeaders[41];
} HTTP_REQUEST_HEADERS;

typedef struct {
  uint16_t UnknownHeaderCount;
  uint64_t pUnknownHeaders;
  uint16_t TrailerCount;
  uint64_t pTrailers;
  HTTP_KNOWN_HEADER KnownHeaders[30];
} HTTP_RESPONSE_HEADERS;

typedef struct {
  uint64_t pRemoteAddress;
  uint64_t pLocalAddress;
} HTTP_TRANSPORT_ADDRESS;

typedef struct {
  uint16_t FullUrlLength;
  uint16_t HostLength;
  uint16_t AbsPathLength;
  uint16_t QueryStringLength;
  uint64_t pFullUrl;
  uint64_t pHost;
  uint64_t pAbsPath;
  uint64_t pQueryString;
} HTTP_COOKED_URL;

typedef struct {
  uint32_t CertFlags;
  uint32_t CertEncodedSize;
  uint64_t pCertEncoded;
  uint64_t Token;
  uint8_t CertDeniedByMapper;
} HTTP_SSL_CLIENT_CERT_INFO;

typedef struct {
  uint16_t ServerCertKeySize;
  uint16_t ConnectionKeySize;
  uint32_t ServerCertIssuerSize;
  uint32_t ServerCertSubjectSize;
  uint64_t pServerCertIssuer;
  uint64_t pServerCertSubject;
  uint64_t pClientCertInfo;
  uint32_t SslClientCertNegotiated;
} HTTP_SSL_INFO;

typedef struct {
  uint32_t Flags;
  uint64_t ConnectionId;
  uint64_t RequestId;
  uint64_t UrlContext;
  HTTP_VERSION Version;
  int32_t Verb;
  uint16_t UnknownVerbLength;
  uint16_t RawUrlLength;
  uint64_t pUnknownVerb;
  uint64_t pRawUrl;
  HTTP_COOKED_URL CookedUrl;
  HTTP_TRANSPORT_ADDRESS Address;
  HTTP_REQUEST_HEADERS Headers;
  uint64_t BytesReceived;
  uint16_t EntityChunkCount;
  uint64_t pEntityChunks;
  uint64_t RawConnectionId;
  uint64_t pSslInfo;
} HTTP_REQUEST_V1;

typedef struct {
  uint32_t Flags;
  uint64_t ConnectionId;
  uint64_t RequestId;
  uint64_t UrlContext;
  HTTP_VERSION Version;
  int32_t Verb;
  uint16_t UnknownVerbLength;
  uint16_t RawUrlLength;
  uint64_t pUnknownVerb;
  uint64_t pRawUrl;
  HTTP_COOKED_URL CookedUrl;
  HTTP_TRANSPORT_ADDRESS Address;
  HTTP_REQUEST_HEADERS Headers;
  uint64_t BytesReceived;
  uint16_t EntityChunkCount;
  uint64_t pEntityChunks;
  uint64_t RawConnectionId;
  uint64_t pSslInfo;
  uint16_t RequestInfoCount;
  uint64_t pRequestInfo;
} HTTP_REQUEST_V2;

typedef struct {
  uint32_t Flags;
  HTTP_VERSION Version;
  uint16_t StatusCode;
  uint16_t ReasonLength;
  uint64_t pReason;
  HTTP_RESPONSE_HEADERS Headers;
  uint16_t EntityChunkCount;
  uint64_t pEntityChunks;
} HTTP_RESPONSE_V1;

typedef struct {
  uint32_t Flags;
  HTTP_VERSION Version;
  uint16_t StatusCode;
  uint16_t ReasonLength;
  uint64_t pReason;
  HTTP_RESPONSE_HEADERS Headers;
  uint16_t EntityChunkCount;
  uint64_t pEntityChunks;
  uint16_t ResponseInfoCount;
  uint64_t pResponseInfo;
} HTTP_RESPONSE_V2;

typedef struct {
  int32_t InfoType;
  uint32_t InfoLength;
  uint64_t pInfo;
} HTTP_REQUEST_INFO;

typedef struct {
  int32_t Type;
  uint32_t Length;
  uint64_t pInfo;
} HTTP_RESPONSE_INFO;

typedef struct {
  int32_t HeaderId;
  uint32_t Flags;
  uint16_t KnownHeaderCount;
  uint64_t KnownHeaders;
} HTTP_MULTIPLE_KNOWN_HEADERS;

typedef struct {
  int32_t Policy;
  uint32_t SecondsToLive;
} HTTP_CACHE_POLICY;

typedef struct {
  uint32_t Present;
} HTTP_PROPERTY_FLAGS;

typedef struct {
  HTTP_PROPERTY_FLAGS Flags;
  uint64_t RequestQueueHandle;
} HTTP_BINDING_INFO;

typedef struct {
  HTTP_PROPERTY_FLAGS Flags;
  int32_t State;
} HTTP_STATE_INFO;

typedef struct {
  HTTP_PROPERTY_FLAGS Flags;
  uint32_t MaxConnections;
} HTTP_CONNECTION_LIMIT_INFO;

typedef struct {
  int32_t QosType;
  uint64_t QosSetting;
} HTTP_QOS_SETTING_INFO;

typedef struct {
  HTTP_PROPERTY_FLAGS Flags;
  uint16_t EntityBody;
  uint16_t DrainEntityBody;
  uint16_t RequestQueue;
  uint16_t IdleConnection;
  uint16_t HeaderWait;
  uint32_t MinSendRate;
} HTTP_TIMEOUT_LIMIT_INFO;

typedef struct {
  HTTP_PROPERTY_FLAGS Flags;
  uint8_t EnableSharing;
} HTTP_LISTEN_ENDPOINT_INFO;

typedef struct {
  uint16_t DomainNameLength;
  uint64_t DomainName;
  uint16_t RealmLength;
  uint64_t Realm;
} HTTP_SERVER_AUTHENTICATION_DIGEST_PARAMS;

typedef struct {
  uint16_t RealmLength;
  uint64_t Realm;
} HTTP_SERVER_AUTHENTICATION_BASIC_PARAMS;

typedef struct {
  HTTP_PROPERTY_FLAGS Flags;
  uint32_t AuthSchemes;
  uint8_t ReceiveMutualAuth;
  uint8_t ReceiveContextHandle;
  uint8_t DisableNTLMCredentialCaching;
  uint8_t ExFlags;
  HTTP_SERVER_AUTHENTICATION_DIGEST_PARAMS DigestParams;
  HTTP_SERVER_AUTHENTICATION_BASIC_PARAMS BasicParams;
} HTTP_SERVER_AUTHENTICATION_INFO;

typedef struct {
  int32_t AuthStatus;
  int32_t SecStatus;
  uint32_t Flags;
  int32_t AuthType;
  uint64_t AccessToken;
  uint32_t ContextAttributes;
  uint32_t PackedContextLength;
  uint32_t PackedContextType;
  uint64_t PackedContext;
  uint32_t MutualAuthDataLength;
  uint64_t pMutualAuthData;
  uint16_t PackageNameLength;
  uint64_t pPackageName;
} HTTP_REQUEST_AUTH_INFO;

typedef struct {
  int32_t Type;
} HTTP_LOG_DATA;

typedef struct {
  int32_t PropertyId;
  uint32_t PropertyInfoLength;
  uint64_t PropertyInfo;
} HTTP_DELEGATE_REQUEST_PROPERTY_INFO;

typedef struct {
  int32_t PropertyId;
  uint32_t PropertyInfoLength;
  uint64_t PropertyInfo;
} HTTP_CREATE_REQUEST_QUEUE_PROPERTY_INFO;

typedef struct {
  HTTP_PROPERTY_FLAGS Flags;
  int32_t Level;
} HTTP_PROTECTION_LEVEL_INFO;

typedef struct {
  HTTP_PROPERTY_FLAGS Flags;
  uint8_t EnableFastForwarding;
} HTTP_FAST_FORWARD_INFO;

typedef struct {
  HTTP_PROPERTY_FLAGS Flags;
  uint64_t RequestInfoFlags;
} HTTP_REQUEST_INFO_PROPERTY_INFO;

typedef struct {
  uint32_t Protocol;
  uint32_t CipherType;
  uint32_t CipherStrength;
  uint32_t HashType;
  uint32_t HashStrength;
  uint32_t KeyExchangeType;
  uint32_t KeyExchangeStrength;
} HTTP_SSL_PROTOCOL_INFO;

typedef struct {
  uint64_t Flags;
  uint32_t RequestIndex;
  uint32_t RequestSizingCount;
  uint64_t RequestSizing[5];
} HTTP_REQUEST_SIZING_INFO;

typedef struct {
  uint32_t RequestTimingCount;
  uint64_t RequestTiming[30];
} HTTP_REQUEST_TIMING_INFO;

typedef struct {
  uint64_t TokenBinding;
  uint32_t TokenBindingSize;
  uint64_t EKM;
  uint32_t EKMSize;
  uint8_t KeyType;
} HTTP_REQUEST_TOKEN_BINDING_INFO;

typedef struct {
  uint64_t ServiceName;
  uint64_t ChannelToken;
  uint32_t ChannelTokenSize;
  uint32_t Flags;
} HTTP_REQUEST_CHANNEL_BIND_STATUS;

typedef struct {
  uint16_t Hostname[256];
  uint32_t Flags;
} HTTP_REQUEST_PROPERTY_SNI;

typedef struct {
  uint32_t ErrorCode;
} HTTP_REQUEST_PROPERTY_STREAM_ERROR;

typedef struct {
  uint16_t sin_family;
  uint16_t sin_port;
  uint32_t sin_addr;
  uint8_t sin_zero[8];
} SOCKADDR_IN;

typedef struct {
  uint16_t sin6_family;
  uint16_t sin6_port;
  uint32_t sin6_flowinfo;
  uint8_t sin6_addr[16];
  uint32_t sin6_scope_id;
} SOCKADDR_IN6;

typedef struct {
  uint64_t Internal;
  uint64_t InternalHigh;
  uint32_t Offset;
  uint32_t OffsetHigh;
  uint64_t hEvent;
} OVERLAPPED;

typedef struct {
  uint32_t nLength;
  uint64_t lpSecurityDescriptor;
  int32_t bInheritHandle;
} SECURITY_ATTRIBUTES;

typedef struct {
  int32_t DataChunkType;
  union {
    struct { uint64_t pBuffer; uint32_t BufferLength; } FromMemory;
    struct { HTTP_BYTE_RANGE ByteRange; uint64_t FileHandle; } FromFileHandle;
    struct { uint16_t FragmentNameLength; uint64_t pFragmentName; } FromFragmentCache;
    struct { HTTP_BYTE_RANGE ByteRange; uint64_t pFragmentName; } FromFragmentCacheEx;
    struct { uint16_t TrailerCount; uint64_t pTrailers; } Trailers;
    struct { uint8_t WhFastForwardingData[16]; } FromWinHttpFastForwarding;
  };
} HTTP_DATA_CHUNK;

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
static const char *const request_headers[] = {
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
};
static const char *const response_headers[] = {
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
};
#endif
