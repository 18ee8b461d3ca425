/**
 * Layout of the structures for x64 (LLP64, little endian): size, and [offset, type] of each member. Types: u8, u16, u32, u64, i32,
 * ptr, `struct:NAME`, and arrays `type[n]`. Members of the union in HTTP_DATA_CHUNK are named `Variant.member`.
 */
export const structs = {
  HTTPAPI_VERSION: {
    size: 4,
    fields: {
      HttpApiMajorVersion: [0, "u16"],
      HttpApiMinorVersion: [2, "u16"],
    },
  },
  HTTP_VERSION: {
    size: 4,
    fields: {
      MajorVersion: [0, "u16"],
      MinorVersion: [2, "u16"],
    },
  },
  HTTP_BYTE_RANGE: {
    size: 16,
    fields: {
      StartingOffset: [0, "u64"],
      Length: [8, "u64"],
    },
  },
  HTTP_KNOWN_HEADER: {
    size: 16,
    fields: {
      RawValueLength: [0, "u16"],
      pRawValue: [8, "ptr"],
    },
  },
  HTTP_UNKNOWN_HEADER: {
    size: 24,
    fields: {
      NameLength: [0, "u16"],
      RawValueLength: [2, "u16"],
      pName: [8, "ptr"],
      pRawValue: [16, "ptr"],
    },
  },
  HTTP_REQUEST_HEADERS: {
    size: 688,
    fields: {
      UnknownHeaderCount: [0, "u16"],
      pUnknownHeaders: [8, "ptr"],
      TrailerCount: [16, "u16"],
      pTrailers: [24, "ptr"],
      KnownHeaders: [32, "struct:HTTP_KNOWN_HEADER[41]"],
    },
  },
  HTTP_RESPONSE_HEADERS: {
    size: 512,
    fields: {
      UnknownHeaderCount: [0, "u16"],
      pUnknownHeaders: [8, "ptr"],
      TrailerCount: [16, "u16"],
      pTrailers: [24, "ptr"],
      KnownHeaders: [32, "struct:HTTP_KNOWN_HEADER[30]"],
    },
  },
  HTTP_TRANSPORT_ADDRESS: {
    size: 16,
    fields: {
      pRemoteAddress: [0, "ptr"],
      pLocalAddress: [8, "ptr"],
    },
  },
  HTTP_COOKED_URL: {
    size: 40,
    fields: {
      FullUrlLength: [0, "u16"],
      HostLength: [2, "u16"],
      AbsPathLength: [4, "u16"],
      QueryStringLength: [6, "u16"],
      pFullUrl: [8, "ptr"],
      pHost: [16, "ptr"],
      pAbsPath: [24, "ptr"],
      pQueryString: [32, "ptr"],
    },
  },
  HTTP_SSL_CLIENT_CERT_INFO: {
    size: 32,
    fields: {
      CertFlags: [0, "u32"],
      CertEncodedSize: [4, "u32"],
      pCertEncoded: [8, "ptr"],
      Token: [16, "ptr"],
      CertDeniedByMapper: [24, "u8"],
    },
  },
  HTTP_SSL_INFO: {
    size: 48,
    fields: {
      ServerCertKeySize: [0, "u16"],
      ConnectionKeySize: [2, "u16"],
      ServerCertIssuerSize: [4, "u32"],
      ServerCertSubjectSize: [8, "u32"],
      pServerCertIssuer: [16, "ptr"],
      pServerCertSubject: [24, "ptr"],
      pClientCertInfo: [32, "ptr"],
      SslClientCertNegotiated: [40, "u32"],
    },
  },
  HTTP_REQUEST_V1: {
    size: 848,
    fields: {
      Flags: [0, "u32"],
      ConnectionId: [8, "u64"],
      RequestId: [16, "u64"],
      UrlContext: [24, "u64"],
      Version: [32, "struct:HTTP_VERSION"],
      Verb: [36, "i32"],
      UnknownVerbLength: [40, "u16"],
      RawUrlLength: [42, "u16"],
      pUnknownVerb: [48, "ptr"],
      pRawUrl: [56, "ptr"],
      CookedUrl: [64, "struct:HTTP_COOKED_URL"],
      Address: [104, "struct:HTTP_TRANSPORT_ADDRESS"],
      Headers: [120, "struct:HTTP_REQUEST_HEADERS"],
      BytesReceived: [808, "u64"],
      EntityChunkCount: [816, "u16"],
      pEntityChunks: [824, "ptr"],
      RawConnectionId: [832, "u64"],
      pSslInfo: [840, "ptr"],
    },
  },
  HTTP_REQUEST_V2: {
    size: 864,
    fields: {
      Flags: [0, "u32"],
      ConnectionId: [8, "u64"],
      RequestId: [16, "u64"],
      UrlContext: [24, "u64"],
      Version: [32, "struct:HTTP_VERSION"],
      Verb: [36, "i32"],
      UnknownVerbLength: [40, "u16"],
      RawUrlLength: [42, "u16"],
      pUnknownVerb: [48, "ptr"],
      pRawUrl: [56, "ptr"],
      CookedUrl: [64, "struct:HTTP_COOKED_URL"],
      Address: [104, "struct:HTTP_TRANSPORT_ADDRESS"],
      Headers: [120, "struct:HTTP_REQUEST_HEADERS"],
      BytesReceived: [808, "u64"],
      EntityChunkCount: [816, "u16"],
      pEntityChunks: [824, "ptr"],
      RawConnectionId: [832, "u64"],
      pSslInfo: [840, "ptr"],
      RequestInfoCount: [848, "u16"],
      pRequestInfo: [856, "ptr"],
    },
  },
  HTTP_RESPONSE_V1: {
    size: 552,
    fields: {
      Flags: [0, "u32"],
      Version: [4, "struct:HTTP_VERSION"],
      StatusCode: [8, "u16"],
      ReasonLength: [10, "u16"],
      pReason: [16, "ptr"],
      Headers: [24, "struct:HTTP_RESPONSE_HEADERS"],
      EntityChunkCount: [536, "u16"],
      pEntityChunks: [544, "ptr"],
    },
  },
  HTTP_RESPONSE_V2: {
    size: 568,
    fields: {
      Flags: [0, "u32"],
      Version: [4, "struct:HTTP_VERSION"],
      StatusCode: [8, "u16"],
      ReasonLength: [10, "u16"],
      pReason: [16, "ptr"],
      Headers: [24, "struct:HTTP_RESPONSE_HEADERS"],
      EntityChunkCount: [536, "u16"],
      pEntityChunks: [544, "ptr"],
      ResponseInfoCount: [552, "u16"],
      pResponseInfo: [560, "ptr"],
    },
  },
  HTTP_REQUEST_INFO: {
    size: 16,
    fields: {
      InfoType: [0, "i32"],
      InfoLength: [4, "u32"],
      pInfo: [8, "ptr"],
    },
  },
  HTTP_RESPONSE_INFO: {
    size: 16,
    fields: {
      Type: [0, "i32"],
      Length: [4, "u32"],
      pInfo: [8, "ptr"],
    },
  },
  HTTP_MULTIPLE_KNOWN_HEADERS: {
    size: 24,
    fields: {
      HeaderId: [0, "i32"],
      Flags: [4, "u32"],
      KnownHeaderCount: [8, "u16"],
      KnownHeaders: [16, "ptr"],
    },
  },
  HTTP_CACHE_POLICY: {
    size: 8,
    fields: {
      Policy: [0, "i32"],
      SecondsToLive: [4, "u32"],
    },
  },
  HTTP_PROPERTY_FLAGS: {
    size: 4,
    fields: {
      Present: [0, "u32"],
    },
  },
  HTTP_BINDING_INFO: {
    size: 16,
    fields: {
      Flags: [0, "struct:HTTP_PROPERTY_FLAGS"],
      RequestQueueHandle: [8, "ptr"],
    },
  },
  HTTP_STATE_INFO: {
    size: 8,
    fields: {
      Flags: [0, "struct:HTTP_PROPERTY_FLAGS"],
      State: [4, "i32"],
    },
  },
  HTTP_CONNECTION_LIMIT_INFO: {
    size: 8,
    fields: {
      Flags: [0, "struct:HTTP_PROPERTY_FLAGS"],
      MaxConnections: [4, "u32"],
    },
  },
  HTTP_QOS_SETTING_INFO: {
    size: 16,
    fields: {
      QosType: [0, "i32"],
      QosSetting: [8, "ptr"],
    },
  },
  HTTP_TIMEOUT_LIMIT_INFO: {
    size: 20,
    fields: {
      Flags: [0, "struct:HTTP_PROPERTY_FLAGS"],
      EntityBody: [4, "u16"],
      DrainEntityBody: [6, "u16"],
      RequestQueue: [8, "u16"],
      IdleConnection: [10, "u16"],
      HeaderWait: [12, "u16"],
      MinSendRate: [16, "u32"],
    },
  },
  HTTP_LISTEN_ENDPOINT_INFO: {
    size: 8,
    fields: {
      Flags: [0, "struct:HTTP_PROPERTY_FLAGS"],
      EnableSharing: [4, "u8"],
    },
  },
  HTTP_SERVER_AUTHENTICATION_DIGEST_PARAMS: {
    size: 32,
    fields: {
      DomainNameLength: [0, "u16"],
      DomainName: [8, "ptr"],
      RealmLength: [16, "u16"],
      Realm: [24, "ptr"],
    },
  },
  HTTP_SERVER_AUTHENTICATION_BASIC_PARAMS: {
    size: 16,
    fields: {
      RealmLength: [0, "u16"],
      Realm: [8, "ptr"],
    },
  },
  HTTP_SERVER_AUTHENTICATION_INFO: {
    size: 64,
    fields: {
      Flags: [0, "struct:HTTP_PROPERTY_FLAGS"],
      AuthSchemes: [4, "u32"],
      ReceiveMutualAuth: [8, "u8"],
      ReceiveContextHandle: [9, "u8"],
      DisableNTLMCredentialCaching: [10, "u8"],
      ExFlags: [11, "u8"],
      DigestParams: [16, "struct:HTTP_SERVER_AUTHENTICATION_DIGEST_PARAMS"],
      BasicParams: [48, "struct:HTTP_SERVER_AUTHENTICATION_BASIC_PARAMS"],
    },
  },
  HTTP_REQUEST_AUTH_INFO: {
    size: 80,
    fields: {
      AuthStatus: [0, "i32"],
      SecStatus: [4, "i32"],
      Flags: [8, "u32"],
      AuthType: [12, "i32"],
      AccessToken: [16, "ptr"],
      ContextAttributes: [24, "u32"],
      PackedContextLength: [28, "u32"],
      PackedContextType: [32, "u32"],
      PackedContext: [40, "ptr"],
      MutualAuthDataLength: [48, "u32"],
      pMutualAuthData: [56, "ptr"],
      PackageNameLength: [64, "u16"],
      pPackageName: [72, "ptr"],
    },
  },
  HTTP_LOG_DATA: {
    size: 4,
    fields: {
      Type: [0, "i32"],
    },
  },
  HTTP_DELEGATE_REQUEST_PROPERTY_INFO: {
    size: 16,
    fields: {
      PropertyId: [0, "i32"],
      PropertyInfoLength: [4, "u32"],
      PropertyInfo: [8, "ptr"],
    },
  },
  HTTP_CREATE_REQUEST_QUEUE_PROPERTY_INFO: {
    size: 16,
    fields: {
      PropertyId: [0, "i32"],
      PropertyInfoLength: [4, "u32"],
      PropertyInfo: [8, "ptr"],
    },
  },
  HTTP_PROTECTION_LEVEL_INFO: {
    size: 8,
    fields: {
      Flags: [0, "struct:HTTP_PROPERTY_FLAGS"],
      Level: [4, "i32"],
    },
  },
  HTTP_FAST_FORWARD_INFO: {
    size: 8,
    fields: {
      Flags: [0, "struct:HTTP_PROPERTY_FLAGS"],
      EnableFastForwarding: [4, "u8"],
    },
  },
  HTTP_REQUEST_INFO_PROPERTY_INFO: {
    size: 16,
    fields: {
      Flags: [0, "struct:HTTP_PROPERTY_FLAGS"],
      RequestInfoFlags: [8, "u64"],
    },
  },
  HTTP_SSL_PROTOCOL_INFO: {
    size: 28,
    fields: {
      Protocol: [0, "u32"],
      CipherType: [4, "u32"],
      CipherStrength: [8, "u32"],
      HashType: [12, "u32"],
      HashStrength: [16, "u32"],
      KeyExchangeType: [20, "u32"],
      KeyExchangeStrength: [24, "u32"],
    },
  },
  HTTP_REQUEST_SIZING_INFO: {
    size: 56,
    fields: {
      Flags: [0, "u64"],
      RequestIndex: [8, "u32"],
      RequestSizingCount: [12, "u32"],
      RequestSizing: [16, "u64[5]"],
    },
  },
  HTTP_REQUEST_TIMING_INFO: {
    size: 248,
    fields: {
      RequestTimingCount: [0, "u32"],
      RequestTiming: [8, "u64[30]"],
    },
  },
  HTTP_REQUEST_TOKEN_BINDING_INFO: {
    size: 32,
    fields: {
      TokenBinding: [0, "ptr"],
      TokenBindingSize: [8, "u32"],
      EKM: [16, "ptr"],
      EKMSize: [24, "u32"],
      KeyType: [28, "u8"],
    },
  },
  HTTP_REQUEST_CHANNEL_BIND_STATUS: {
    size: 24,
    fields: {
      ServiceName: [0, "ptr"],
      ChannelToken: [8, "ptr"],
      ChannelTokenSize: [16, "u32"],
      Flags: [20, "u32"],
    },
  },
  HTTP_REQUEST_PROPERTY_SNI: {
    size: 516,
    fields: {
      Hostname: [0, "u16[256]"],
      Flags: [512, "u32"],
    },
  },
  HTTP_REQUEST_PROPERTY_STREAM_ERROR: {
    size: 4,
    fields: {
      ErrorCode: [0, "u32"],
    },
  },
  SOCKADDR_IN: {
    size: 16,
    fields: {
      sin_family: [0, "u16"],
      sin_port: [2, "u16"],
      sin_addr: [4, "u32"],
      sin_zero: [8, "u8[8]"],
    },
  },
  SOCKADDR_IN6: {
    size: 28,
    fields: {
      sin6_family: [0, "u16"],
      sin6_port: [2, "u16"],
      sin6_flowinfo: [4, "u32"],
      sin6_addr: [8, "u8[16]"],
      sin6_scope_id: [24, "u32"],
    },
  },
  OVERLAPPED: {
    size: 32,
    fields: {
      Internal: [0, "u64"],
      InternalHigh: [8, "u64"],
      Offset: [16, "u32"],
      OffsetHigh: [20, "u32"],
      hEvent: [24, "ptr"],
    },
  },
  SECURITY_ATTRIBUTES: {
    size: 24,
    fields: {
      nLength: [0, "u32"],
      lpSecurityDescriptor: [8, "ptr"],
      bInheritHandle: [16, "i32"],
    },
  },
  HTTP_DATA_CHUNK: {
    size: 32,
    fields: {
      DataChunkType: [0, "i32"],
      "FromMemory.pBuffer": [8, "ptr"],
      "FromMemory.BufferLength": [16, "u32"],
      "FromFileHandle.ByteRange": [8, "struct:HTTP_BYTE_RANGE"],
      "FromFileHandle.FileHandle": [24, "ptr"],
      "FromFragmentCache.FragmentNameLength": [8, "u16"],
      "FromFragmentCache.pFragmentName": [16, "ptr"],
      "FromFragmentCacheEx.ByteRange": [8, "struct:HTTP_BYTE_RANGE"],
      "FromFragmentCacheEx.pFragmentName": [24, "ptr"],
      "Trailers.TrailerCount": [8, "u16"],
      "Trailers.pTrailers": [16, "ptr"],
      "FromWinHttpFastForwarding.WhFastForwardingData": [8, "u8[16]"],
    },
  },
} as const;

export type StructName = keyof typeof structs;
