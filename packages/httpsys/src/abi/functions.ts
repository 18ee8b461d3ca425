/**
 * The functions of httpapi.dll: types of their parameters. All return ULONG except HttpIsFeatureSupported (BOOL). ULONG is u32, never
 * `long`, whose size differs between platforms; HTTPAPI_VERSION by value is u32 = major | minor << 16.
 */
export const functions = {
  HttpInitialize: ["u32", "u32", "ptr"],
  HttpTerminate: ["u32", "ptr"],
  HttpCreateServerSession: ["u32", "ptr", "u32"],
  HttpCloseServerSession: ["u64"],
  HttpSetServerSessionProperty: ["u64", "i32", "ptr", "u32"],
  HttpCreateUrlGroup: ["u64", "ptr", "u32"],
  HttpCloseUrlGroup: ["u64"],
  HttpAddUrlToUrlGroup: ["u64", "ptr", "u64", "u32"],
  HttpRemoveUrlFromUrlGroup: ["u64", "ptr", "u32"],
  HttpSetUrlGroupProperty: ["u64", "i32", "ptr", "u32"],
  HttpQueryUrlGroupProperty: ["u64", "i32", "ptr", "u32", "ptr"],
  HttpCreateRequestQueue: ["u32", "ptr", "ptr", "u32", "ptr"],
  HttpCloseRequestQueue: ["ptr"],
  HttpShutdownRequestQueue: ["ptr"],
  HttpSetRequestQueueProperty: ["ptr", "i32", "ptr", "u32", "u32", "ptr"],
  HttpQueryRequestQueueProperty: ["ptr", "i32", "ptr", "u32", "u32", "ptr", "ptr"],
  HttpReceiveHttpRequest: ["ptr", "u64", "u32", "ptr", "u32", "ptr", "ptr"],
  HttpReceiveRequestEntityBody: ["ptr", "u64", "u32", "ptr", "u32", "ptr", "ptr"],
  HttpSendHttpResponse: ["ptr", "u64", "u32", "ptr", "ptr", "ptr", "ptr", "u32", "ptr", "ptr"],
  HttpSendResponseEntityBody: ["ptr", "u64", "u32", "u16", "ptr", "ptr", "ptr", "u32", "ptr", "ptr"],
  HttpCancelHttpRequest: ["ptr", "u64", "ptr"],
  HttpWaitForDisconnect: ["ptr", "u64", "ptr"],
  HttpWaitForDisconnectEx: ["ptr", "u64", "u32", "ptr"],
  HttpIsFeatureSupported: ["i32"],
  HttpDelegateRequestEx: ["ptr", "ptr", "u64", "u64", "u32", "ptr"],
  HttpFindUrlGroupId: ["ptr", "ptr", "ptr"],
  HttpSetRequestProperty: ["ptr", "u64", "i32", "ptr", "u32", "ptr"],
  HttpQueryRequestProperty: ["ptr", "u64", "i32", "ptr", "u32", "ptr", "u32", "ptr", "ptr"],
} as const;

/** Those that the table does not have: from http.h. */
export const furtherFunctions = {
  HttpReceiveClientCertificate: ["ptr", "u64", "u32", "ptr", "u32", "ptr", "ptr"],
} as const;

/** Functions of the HTTP Server API that are called. */
export type FunctionName = keyof typeof functions | keyof typeof furtherFunctions;

/** Of kernel32, and of ntdll the last: result, then parameters. */
export const systemFunctions = {
  CreateIoCompletionPort: ["u64", "ptr", "ptr", "u64", "u32"],
  SetFileCompletionNotificationModes: ["i32", "ptr", "u8"],
  PostQueuedCompletionStatus: ["i32", "ptr", "u32", "u64", "ptr"],
  GetQueuedCompletionStatusEx: ["i32", "ptr", "ptr", "u32", "ptr", "u32", "i32"],
  CancelIoEx: ["i32", "ptr", "ptr"],
  CloseHandle: ["i32", "ptr"],
  RtlNtStatusToDosError: ["u32", "u32"],
} as const;
