/* A request as HTTP_REQUEST_V2 in the caller's buffer. */
#include "double.h"

typedef struct { char *base; uint64_t address; size_t size, used; } Image;

/* Reserves `length` bytes, aligned to 8; its address, which is beyond the buffer when that is too small. */
static uint64_t reserve(Image *image, size_t length) {
  uint64_t at = image->address + image->used;
  image->used = (image->used + length + 7) & ~(size_t)7;
  return at;
}

static int fits(const Image *image, uint64_t at, size_t length) {
  return at - image->address + length <= image->size;
}

static uint64_t bytes(Image *image, const char *text, size_t length) {
  uint64_t at = reserve(image, length + 1);
  if (fits(image, at, length + 1)) { memcpy(AT(at), text, length); ((char *)AT(at))[length] = 0; }
  return at;
}

static int verbOf(const Conn *conn) {
  static const char *const verbs[] = { "OPTIONS", "GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "CONNECT", "TRACK", "MOVE",
    "COPY", "PROPFIND", "PROPPATCH", "MKCOL", "LOCK", "UNLOCK", "SEARCH" };
  for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
    if (strlen(verbs[i]) == conn->methodLength && !strncmp(verbs[i], conn->method, conn->methodLength)) return (int)i + HttpVerbOPTIONS;
  return HttpVerbUnknown;
}

static int knownId(const Field *of) {
  for (int i = 0; i < 41; i++)
    if (strlen(request_headers[i]) == of->nameLength && !strncasecmp(request_headers[i], of->name, of->nameLength)) return i;
  return -1;
}

/* Repeated known headers are one value, joined as lists are. */
static void writeHeaders(Conn *conn, Image *image, HTTP_REQUEST_HEADERS *to) {
  uint32_t unknown = 0;
  for (uint32_t i = 0; i < conn->fieldCount; i++) if (knownId(&conn->fields[i]) < 0) unknown++;
  uint64_t list = unknown ? reserve(image, unknown * sizeof(HTTP_UNKNOWN_HEADER)) : 0;
  to->UnknownHeaderCount = (uint16_t)unknown;
  to->pUnknownHeaders = list;
  for (int id = 0; id < 41; id++) {
    char joined[65536];
    size_t length = 0;
    int found = 0;
    for (uint32_t i = 0; i < conn->fieldCount; i++) {
      const Field *at = &conn->fields[i];
      if (knownId(at) != id || length + at->valueLength + 2 > sizeof joined) continue;
      if (found++) { memcpy(joined + length, id == 25 ? "; " : ", ", 2); length += 2; }
      memcpy(joined + length, at->value, at->valueLength);
      length += at->valueLength;
    }
    if (!found) continue;
    to->KnownHeaders[id].RawValueLength = (uint16_t)length;
    to->KnownHeaders[id].pRawValue = bytes(image, joined, length);
  }
  for (uint32_t i = 0, n = 0; i < conn->fieldCount; i++) {
    const Field *at = &conn->fields[i];
    if (knownId(at) >= 0) continue;
    HTTP_UNKNOWN_HEADER entry = { 0 };
    entry.NameLength = (uint16_t)at->nameLength;
    entry.RawValueLength = (uint16_t)at->valueLength;
    entry.pName = bytes(image, at->name, at->nameLength);
    entry.pRawValue = bytes(image, at->value, at->valueLength);
    uint64_t place = list + n++ * sizeof entry;
    if (fits(image, place, sizeof entry)) memcpy(AT(place), &entry, sizeof entry);
  }
}

static uint64_t writeAddress(Image *image, const struct sockaddr_in *from) {
  SOCKADDR_IN address = { .sin_family = AF_INET, .sin_port = from->sin_port };
  memcpy(&address.sin_addr, &from->sin_addr, 4);
  uint64_t at = reserve(image, sizeof address);
  if (fits(image, at, sizeof address)) memcpy(AT(at), &address, sizeof address);
  return at;
}

/* http://host/path?query in UTF-16; the path is percent-decoded. */
static void writeCookedUrl(Conn *conn, Image *image, HTTP_COOKED_URL *to) {
  char url[70000];
  const Field *host = field(conn, "Host");
  char target[66000];
  snprintf(target, sizeof target, "%.*s", (int)conn->targetLength, conn->target);
  const char *path = strstr(target, "://") ? strchr(strstr(target, "://") + 3, '/') : target;
  if (!path) path = "/";
  int hostLength = host ? (int)host->valueLength : 0;
  int before = snprintf(url, sizeof url, "http://%.*s", hostLength, host ? host->value : "");
  char *out = url + before;
  const char *query = strchr(path, '?');
  for (const char *at = path; *at && at != query; at++) {
    unsigned value;
    if (*at == '%' && at[1] && at[2] && sscanf(at + 1, "%2x", &value) == 1 && value < 128) { *out++ = (char)value; at += 2; }
    else *out++ = *at;
  }
  size_t pathEnd = (size_t)(out - url);
  if (query) { size_t n = strlen(query); memcpy(out, query, n); out += n; }
  size_t length = (size_t)(out - url);
  uint64_t at = reserve(image, length * 2 + 2);
  if (fits(image, at, length * 2 + 2)) {
    uint16_t *wide = AT(at);
    for (size_t i = 0; i < length; i++) wide[i] = (unsigned char)url[i];
    wide[length] = 0;
  }
  to->FullUrlLength = (uint16_t)(length * 2);
  to->HostLength = (uint16_t)(hostLength * 2);
  to->AbsPathLength = (uint16_t)((pathEnd - (size_t)before) * 2);
  to->QueryStringLength = (uint16_t)((length - pathEnd) * 2);
  to->pFullUrl = at;
  to->pHost = at + 14;
  to->pAbsPath = at + (uint64_t)before * 2;
  to->pQueryString = query ? at + pathEnd * 2 : 0;
}

static void put(const Image *image, uint64_t at, const void *from, size_t length) {
  if (fits(image, at, length)) memcpy(AT(at), from, length);
}

static void writeTls(Conn *conn, Image *image, HTTP_REQUEST_V2 *to) {
  const Facts *facts = &conn->facts;
  if (!facts->secure) return;
  HTTP_SSL_INFO ssl = { .ServerCertKeySize = 2048, .ConnectionKeySize = (uint16_t)facts->strength };
  if (facts->cert.size) {
    HTTP_SSL_CLIENT_CERT_INFO cert = { .CertEncodedSize = (uint32_t)facts->cert.size };
    cert.pCertEncoded = bytes(image, (const char *)facts->cert.data, facts->cert.size);
    ssl.pClientCertInfo = reserve(image, sizeof cert);
    ssl.SslClientCertNegotiated = 1;
    put(image, ssl.pClientCertInfo, &cert, sizeof cert);
  }
  to->pSslInfo = reserve(image, sizeof ssl);
  put(image, to->pSslInfo, &ssl, sizeof ssl);
  HTTP_SSL_PROTOCOL_INFO protocol = { .Protocol = facts->protocol, .CipherType = facts->cipher, .CipherStrength = facts->strength };
  HTTP_REQUEST_INFO info = { .InfoType = 2, .InfoLength = sizeof protocol, .pInfo = reserve(image, sizeof protocol) };
  put(image, info.pInfo, &protocol, sizeof protocol);
  to->RequestInfoCount = 1;
  to->pRequestInfo = reserve(image, sizeof info);
  put(image, to->pRequestInfo, &info, sizeof info);
}

uint32_t writeRequest(Conn *conn, uint64_t buffer, uint32_t length, uint32_t flags, uint32_t *written) {
  (void)flags;
  HTTP_REQUEST_V2 head = { 0 };
  Image image = { AT(buffer), buffer, length, 0 };
  reserve(&image, sizeof head);
  head.ConnectionId = conn->id;
  head.RequestId = conn->request;
  head.UrlContext = conn->context;
  head.Version.MajorVersion = (uint16_t)conn->major;
  head.Version.MinorVersion = (uint16_t)conn->minor;
  head.Verb = verbOf(conn);
  if (head.Verb == HttpVerbUnknown) {
    head.UnknownVerbLength = (uint16_t)conn->methodLength;
    head.pUnknownVerb = bytes(&image, conn->method, conn->methodLength);
  }
  head.RawUrlLength = (uint16_t)conn->targetLength;
  head.pRawUrl = bytes(&image, conn->target, conn->targetLength);
  writeCookedUrl(conn, &image, &head.CookedUrl);
  head.Address.pRemoteAddress = writeAddress(&image, &conn->peer);
  head.Address.pLocalAddress = writeAddress(&image, &conn->local);
  writeHeaders(conn, &image, &head.Headers);
  head.BytesReceived = conn->headLength;
  head.Flags = conn->bodyDone ? 0 : HTTP_REQUEST_FLAG_MORE_ENTITY_BODY_EXISTS;
  if (conn->facts.version == 2) head.Flags |= HTTP_REQUEST_FLAG_HTTP2;
  if (conn->facts.version == 3) head.Flags |= HTTP_REQUEST_FLAG_HTTP3;
  writeTls(conn, &image, &head);
  *written = (uint32_t)image.used;
  if (image.used > length) {
    if (length >= 24) memcpy(AT(buffer + 16), &conn->request, 8);
    return ERROR_MORE_DATA;
  }
  if (head.pSslInfo && conn->facts.cert.size) {
    const HTTP_SSL_INFO *ssl = AT(head.pSslInfo);
    ((HTTP_SSL_CLIENT_CERT_INFO *)AT(ssl->pClientCertInfo))->Token = tokenOf(&conn->facts);
  }
  memcpy(AT(buffer), &head, sizeof head);
  return 0;
}
