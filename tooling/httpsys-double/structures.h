/* The structures of the HTTP Server API for x64 in fixed-width types; pointers and handles are uint64_t. */
#ifndef STRUCTURES_H
#define STRUCTURES_H
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
#endif
