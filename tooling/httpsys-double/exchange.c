/* The calls of one exchange: receive, body, response, cancel, wait for disconnect. */
#include "double.h"

uint32_t checkCall(Queue *queue, uint64_t overlapped, uint64_t returned) {
  if (!queue) return refuse(ERROR_INVALID_HANDLE, "no queue has this handle");
  if (overlapped && returned) return refuse(ERROR_INVALID_PARAMETER, "BytesReturned must be NULL with an OVERLAPPED");
  if (overlapped && !queue->port) return refuse(ERROR_INVALID_PARAMETER, "an OVERLAPPED on a queue without a completion port");
  if (overlapped & 7) return refuse(ERROR_NOACCESS, "the OVERLAPPED is not aligned to 8 bytes");
  return 0;
}

/* A call that ended without waiting: with an OVERLAPPED a packet goes out unless the queue skips those of successes. */
uint32_t inlineEnd(Queue *queue, uint64_t overlapped, uint64_t returned, uint32_t code, uint32_t bytes) {
  if (returned) *(uint32_t *)AT(returned) = bytes;
  if (!overlapped) return out(code);
  if (code == 0 && (queue->modes & FILE_SKIP_COMPLETION_PORT_ON_SUCCESS)) {
    ((OVERLAPPED *)AT(overlapped))->Internal = 0;
    ((OVERLAPPED *)AT(overlapped))->InternalHigh = bytes;
    return out(0);
  }
  Op *op = newOp(OP_RECEIVE, queue, 0, overlapped);
  complete(op, code, bytes);
  return out(ERROR_IO_PENDING);
}

EXPORT uint32_t HttpReceiveHttpRequest(uint64_t handle, uint64_t id, uint32_t flags, uint64_t buffer, uint32_t length, uint64_t returned, uint64_t overlapped) {
  pthread_mutex_lock(&lock);
  Queue *queue = findQueue(handle);
  uint32_t code = checkCall(queue, overlapped, returned);
  if (code) return out(code);
  if (queue->flags & HTTP_CREATE_REQUEST_QUEUE_FLAG_DELEGATION) return out(refuse(ERROR_INVALID_PARAMETER, "a queue opened for delegation receives nothing"));
  if (!buffer || (flags & ~3u)) return out(refuse(ERROR_INVALID_PARAMETER, "no buffer, or an unknown flag"));
  if (buffer & 7) return out(refuse(ERROR_NOACCESS, "the buffer is not aligned to 8 bytes"));
  if (length < sizeof(HTTP_REQUEST_V2)) return out(refuse(ERROR_INSUFFICIENT_BUFFER, "the buffer is smaller than HTTP_REQUEST"));
  if (queue->shut) return out(refuse(ERROR_OPERATION_ABORTED, "the queue was shut down"));
  if (id) {
    Conn *conn = findRequest(queue, id);
    if (!conn || conn->state != REQUEST_OFFERED) return out(refuse(ERROR_CONNECTION_INVALID, "no request with this id is to be received"));
    uint32_t written;
    code = writeRequest(conn, buffer, length, flags, &written);
    if (!code) { conn->state = REQUEST_OWNED; tell(conn, 'r'); }
    return inlineEnd(queue, overlapped, returned, code, written);
  }
  openInbox(queue);
  Op *op = newOp(OP_RECEIVE, queue, 0, overlapped);
  op->buffer = buffer;
  op->length = length;
  op->flags = flags;
  pushOp(&queue->receives, op);
  offer(queue);
  return endCall(op, overlapped, returned);
}

static Conn *owned(Queue *queue, uint64_t id) {
  Conn *conn = findRequest(queue, id);
  return conn && conn->state == REQUEST_OWNED && !conn->handed && !conn->gone && !conn->kill ? conn : NULL;
}

EXPORT uint32_t HttpReceiveRequestEntityBody(uint64_t handle, uint64_t id, uint32_t flags, uint64_t buffer, uint32_t length, uint64_t returned, uint64_t overlapped) {
  pthread_mutex_lock(&lock);
  Queue *queue = findQueue(handle);
  uint32_t code = checkCall(queue, overlapped, returned);
  if (code) return out(code);
  if (!buffer || !length || (flags & ~1u)) return out(refuse(ERROR_INVALID_PARAMETER, "no buffer, or an unknown flag"));
  Conn *conn = owned(queue, id);
  if (!conn) return out(refuse(ERROR_CONNECTION_INVALID, "no request has this id"));
  if (conn->answered) return out(refuse(ERROR_CONNECTION_INVALID, "the request is answered"));
  conn->bodyTouched = 1;
  if (conn->body != BODY_OPAQUE && conn->bodyDone) return inlineEnd(queue, overlapped, returned, ERROR_HANDLE_EOF, 0);
  Op *op = newOp(OP_BODY, queue, id, overlapped);
  op->buffer = buffer;
  op->length = length;
  pushOp(&conn->bodies, op);
  wakeConn(conn);
  return endCall(op, overlapped, returned);
}

typedef struct { char *data; size_t size, capacity; } Text;

static void add(Text *text, const void *from, size_t length) {
  if (text->capacity - text->size < length) text->data = realloc(text->data, text->capacity = (text->size + length) * 2);
  memcpy(text->data + text->size, from, length);
  text->size += length;
}

static void addLine(Text *text, const char *name, size_t nameLength, const char *value, size_t valueLength) {
  add(text, name, nameLength);
  add(text, ": ", 2);
  add(text, value, valueLength);
  add(text, "\r\n", 2);
}

static int splits(const char *value, size_t length) {
  return memchr(value, '\r', length) || memchr(value, '\n', length) || memchr(value, 0, length);
}

static uint32_t addTrailers(Conn *conn, Text *trailers, const HTTP_DATA_CHUNK *chunk, int isLast) {
  const HTTP_UNKNOWN_HEADER *lines = AT(chunk->Trailers.pTrailers);
  if (conn->facts.version < 2) return refuse(ERROR_INVALID_PARAMETER, "trailers on a connection of HTTP/1");
  if (!isLast) return refuse(ERROR_INVALID_PARAMETER, "something comes after the trailers");
  if (!lines || !chunk->Trailers.TrailerCount) return refuse(ERROR_INVALID_PARAMETER, "no trailers in their chunk");
  for (uint16_t i = 0; i < chunk->Trailers.TrailerCount; i++) {
    if (splits(AT(lines[i].pName), lines[i].NameLength) || splits(AT(lines[i].pRawValue), lines[i].RawValueLength))
      return refuse(ERROR_INVALID_PARAMETER, "trailer %d holds a line break", i);
    addLine(trailers, AT(lines[i].pName), lines[i].NameLength, AT(lines[i].pRawValue), lines[i].RawValueLength);
  }
  return 0;
}

static uint32_t addChunks(Conn *conn, Text *text, Text *trailers, uint64_t chunks, uint16_t count, uint32_t flags, uint64_t *length) {
  const HTTP_DATA_CHUNK *chunk = AT(chunks);
  for (uint16_t i = 0; i < count; i++, chunk++) {
    if (chunk->DataChunkType == HttpDataChunkTrailers) {
      uint32_t code = addTrailers(conn, trailers, chunk, i + 1 == count && !(flags & HTTP_SEND_RESPONSE_FLAG_MORE_DATA));
      if (code) return code;
    } else if (chunk->DataChunkType == HttpDataChunkFromMemory) {
      if (!chunk->FromMemory.pBuffer && chunk->FromMemory.BufferLength) return refuse(ERROR_INVALID_PARAMETER, "chunk %d has no buffer", i);
      add(text, AT(chunk->FromMemory.pBuffer), chunk->FromMemory.BufferLength);
      *length += chunk->FromMemory.BufferLength;
    } else if (chunk->DataChunkType == HttpDataChunkFromFileHandle) {
      uint64_t from = chunk->FromFileHandle.ByteRange.StartingOffset, most = chunk->FromFileHandle.ByteRange.Length;
      char block[65536];
      while (most > 0) {
        ssize_t got = pread((int)chunk->FromFileHandle.FileHandle, block, most < sizeof block ? (size_t)most : sizeof block, (off_t)from);
        if (got < 0) return refuse(ERROR_INVALID_HANDLE, "chunk %d: the file cannot be read", i);
        if (got == 0 && most != UINT64_MAX) return refuse(ERROR_HANDLE_EOF, "chunk %d: the range goes beyond the file", i);
        if (got == 0) break;
        add(text, block, (size_t)got);
        *length += (uint64_t)got;
        from += (uint64_t)got;
        if (most != UINT64_MAX) most -= (uint64_t)got;
      }
    } else return refuse(ERROR_NOT_SUPPORTED, "chunk %d is of type %d", i, chunk->DataChunkType);
  }
  return 0;
}

static uint32_t addHead(Conn *conn, Text *text, const HTTP_RESPONSE_V2 *response, uint32_t flags, uint64_t bodyLength) {
  char line[64];
  if (response->StatusCode < 100 || response->StatusCode > 999) return refuse(ERROR_INVALID_PARAMETER, "status %d", response->StatusCode);
  if (splits(AT(response->pReason), response->ReasonLength)) return refuse(ERROR_INVALID_PARAMETER, "the reason holds a line break");
  add(text, line, (size_t)snprintf(line, sizeof line, "HTTP/1.1 %d ", response->StatusCode));
  add(text, AT(response->pReason), response->ReasonLength);
  add(text, "\r\n", 2);
  int date = 0, framed = 0;
  for (int id = 0; id < 30; id++) {
    const HTTP_KNOWN_HEADER *known = &response->Headers.KnownHeaders[id];
    if (!known->pRawValue) { if (known->RawValueLength) return refuse(ERROR_INVALID_PARAMETER, "known header %d has a length and no value", id); continue; }
    if (splits(AT(known->pRawValue), known->RawValueLength)) return refuse(ERROR_INVALID_PARAMETER, "known header %d holds a line break", id);
    if (conn->facts.version >= 2 && (id == 1 || id == 6)) return refuse(ERROR_INVALID_PARAMETER, "HTTP/2 has no %s", response_headers[id]);
    if ((flags & HTTP_SEND_RESPONSE_FLAG_OPAQUE) && id == 1) return refuse(ERROR_INVALID_PARAMETER, "Connection of an upgrade as a known header");
    addLine(text, response_headers[id], strlen(response_headers[id]), AT(known->pRawValue), known->RawValueLength);
    if (id == 2) date = 1;
    if (id == 6 || id == 11) framed = 1;
  }
  const HTTP_RESPONSE_INFO *info = AT(response->pResponseInfo);
  for (uint16_t i = 0; i < response->ResponseInfoCount; i++) {
    const HTTP_MULTIPLE_KNOWN_HEADERS *many = AT(info[i].pInfo);
    if (info[i].Type != 0) continue;
    if (info[i].Length != sizeof *many) return refuse(ERROR_INVALID_PARAMETER, "HTTP_RESPONSE_INFO has the wrong length");
    if (many->HeaderId < 0 || many->HeaderId >= 30) return refuse(ERROR_INVALID_PARAMETER, "no known header %d", many->HeaderId);
    const HTTP_KNOWN_HEADER *values = AT(many->KnownHeaders);
    for (uint16_t n = 0; n < many->KnownHeaderCount; n++) {
      if (splits(AT(values[n].pRawValue), values[n].RawValueLength)) return refuse(ERROR_INVALID_PARAMETER, "a known header holds a line break");
      addLine(text, response_headers[many->HeaderId], strlen(response_headers[many->HeaderId]), AT(values[n].pRawValue), values[n].RawValueLength);
      if (many->HeaderId == 2) date = 1;
    }
  }
  const HTTP_UNKNOWN_HEADER *unknown = AT(response->Headers.pUnknownHeaders);
  for (uint16_t i = 0; i < response->Headers.UnknownHeaderCount; i++) {
    if (splits(AT(unknown[i].pName), unknown[i].NameLength) || splits(AT(unknown[i].pRawValue), unknown[i].RawValueLength))
      return refuse(ERROR_INVALID_PARAMETER, "unknown header %d holds a line break", i);
    addLine(text, AT(unknown[i].pName), unknown[i].NameLength, AT(unknown[i].pRawValue), unknown[i].RawValueLength);
  }
  if (!date) {
    char stamp[64];
    time_t now = time(NULL);
    struct tm parts;
    strftime(stamp, sizeof stamp, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &parts));
    addLine(text, "Date", 4, stamp, strlen(stamp));
  }
  int bodiless = response->StatusCode < 200 || response->StatusCode == 204 || response->StatusCode == 304;
  int isHead = conn->methodLength == 4 && !memcmp(conn->method, "HEAD", 4);
  if (!framed && !bodiless && !isHead && !(flags & HTTP_SEND_RESPONSE_FLAG_MORE_DATA))
    addLine(text, "Content-Length", 14, line, (size_t)snprintf(line, sizeof line, "%llu", (unsigned long long)bodyLength));
  else if (!framed && !bodiless && !isHead && conn->facts.version >= 2) {
    addLine(text, "Transfer-Encoding", 17, "chunked", 7);
    conn->chunks = 1;
  }
  add(text, "\r\n", 2);
  return 0;
}

/* The body as it goes out. */
static void addBody(Conn *conn, Text *text, Text *body, Text *trailers, uint32_t flags) {
  char line[32];
  if (conn->chunks && body->size) add(text, line, (size_t)snprintf(line, sizeof line, "%zx\r\n", body->size));
  if (body->size) add(text, body->data, body->size);
  if (conn->chunks && body->size) add(text, "\r\n", 2);
  if (conn->chunks && !(flags & HTTP_SEND_RESPONSE_FLAG_MORE_DATA)) {
    add(text, "0\r\n", 3);
    if (trailers->size) add(text, trailers->data, trailers->size);
    add(text, "\r\n", 2);
  }
  free(body->data);
  free(trailers->data);
}

static uint32_t submit(Conn *conn, Queue *queue, Text *text, uint32_t flags, uint64_t sent, uint64_t overlapped) {
  Op *op = newOp(OP_SEND, queue, conn->request, overlapped);
  op->data = text->data;
  op->size = text->size;
  op->last = !(flags & HTTP_SEND_RESPONSE_FLAG_MORE_DATA);
  op->close = (flags & HTTP_SEND_RESPONSE_FLAG_DISCONNECT) != 0;
  if (op->last) conn->started = 2;
  pushOp(&conn->sends, op);
  wakeConn(conn);
  return endCall(op, overlapped, sent);
}

EXPORT uint32_t HttpSendHttpResponse(uint64_t handle, uint64_t id, uint32_t flags, const HTTP_RESPONSE_V2 *response, uint64_t cache, uint64_t sent, uint64_t reserved1, uint32_t reserved2, uint64_t overlapped, uint64_t log) {
  (void)cache; (void)log;
  pthread_mutex_lock(&lock);
  Queue *queue = findQueue(handle);
  uint32_t code = checkCall(queue, overlapped, sent);
  if (code) return out(code);
  if (!response || reserved1 || reserved2) return out(refuse(ERROR_INVALID_PARAMETER, "no response, or a reserved one is not 0"));
  Conn *conn = owned(queue, id);
  if (!conn) return out(refuse(ERROR_CONNECTION_INVALID, "no request has this id"));
  if (conn->started) return out(refuse(ERROR_INVALID_PARAMETER, "the response was started"));
  if ((flags & HTTP_SEND_RESPONSE_FLAG_OPAQUE) && response->StatusCode != 101) return out(refuse(ERROR_INVALID_PARAMETER, "OPAQUE needs a 101"));
  if ((flags & HTTP_SEND_RESPONSE_FLAG_OPAQUE) && response->EntityChunkCount) return out(refuse(ERROR_INVALID_PARAMETER, "the head of an upgrade with a body"));
  Text body = { 0 }, text = { 0 }, trailers = { 0 };
  uint64_t length = 0;
  code = addChunks(conn, &body, &trailers, response->pEntityChunks, response->EntityChunkCount, flags, &length);
  if (!code) code = addHead(conn, &text, response, flags, length);
  if (code) { free(body.data); free(text.data); free(trailers.data); return out(code); }
  addBody(conn, &text, &body, &trailers, flags);
  conn->started = 1;
  conn->buffered = flags & HTTP_SEND_RESPONSE_FLAG_BUFFER_DATA;
  if (flags & HTTP_SEND_RESPONSE_FLAG_OPAQUE) { conn->body = BODY_OPAQUE; conn->upgraded = 1; conn->bodyDone = 0; }
  return submit(conn, queue, &text, flags, sent, overlapped);
}

EXPORT uint32_t HttpSendResponseEntityBody(uint64_t handle, uint64_t id, uint32_t flags, uint16_t count, uint64_t chunks, uint64_t sent, uint64_t reserved1, uint32_t reserved2, uint64_t overlapped, uint64_t log) {
  (void)log;
  pthread_mutex_lock(&lock);
  Queue *queue = findQueue(handle);
  uint32_t code = checkCall(queue, overlapped, sent);
  if (code) return out(code);
  if (reserved1 || reserved2 || (count && !chunks)) return out(refuse(ERROR_INVALID_PARAMETER, "no chunks, or a reserved one is not 0"));
  Conn *conn = owned(queue, id);
  if (!conn) return out(refuse(ERROR_CONNECTION_INVALID, "no request has this id"));
  if (conn->started != 1) return out(refuse(ERROR_INVALID_PARAMETER, conn->started ? "the response is complete" : "the response was not started"));
  if (flags & HTTP_SEND_RESPONSE_FLAG_OPAQUE) return out(refuse(ERROR_INVALID_PARAMETER, "OPAQUE belongs to the head"));
  if ((flags & HTTP_SEND_RESPONSE_FLAG_BUFFER_DATA) != conn->buffered) return out(refuse(ERROR_INVALID_PARAMETER, "BUFFER_DATA in one call of a response and not in another"));
  Text text = { 0 }, body = { 0 }, trailers = { 0 };
  uint64_t length = 0;
  code = addChunks(conn, &body, &trailers, chunks, count, flags, &length);
  if (code) { free(body.data); free(trailers.data); return out(code); }
  addBody(conn, &text, &body, &trailers, flags);
  return submit(conn, queue, &text, flags, sent, overlapped);
}

EXPORT uint32_t HttpCancelHttpRequest(uint64_t handle, uint64_t id, uint64_t overlapped) {
  pthread_mutex_lock(&lock);
  Queue *queue = findQueue(handle);
  uint32_t code = checkCall(queue, overlapped, 0);
  if (code) return out(code);
  Conn *conn = owned(queue, id);
  if (!conn) return out(refuse(ERROR_CONNECTION_INVALID, "no request has this id"));
  conn->kill = 1;
  wakeConn(conn);
  return inlineEnd(queue, overlapped, 0, 0, 0);
}

EXPORT uint32_t HttpWaitForDisconnectEx(uint64_t handle, uint64_t id, uint32_t reserved, uint64_t overlapped) {
  pthread_mutex_lock(&lock);
  Queue *queue = findQueue(handle);
  uint32_t code = checkCall(queue, overlapped, 0);
  if (code) return out(code);
  if (reserved) return out(refuse(ERROR_INVALID_PARAMETER, "reserved is not 0"));
  Conn *conn = conns;
  while (conn && (conn->id != id || conn->queue != queue)) conn = conn->next;
  if (!conn) return out(refuse(ERROR_CONNECTION_INVALID, "no connection of this queue has this id"));
  Op *op = newOp(OP_DISCONNECT, queue, id, overlapped);
  pushOp(&conn->waits, op);
  return endCall(op, overlapped, 0);
}

EXPORT uint32_t HttpWaitForDisconnect(uint64_t handle, uint64_t id, uint64_t overlapped) {
  return HttpWaitForDisconnectEx(handle, id, 0, overlapped);
}
