/* Request queues: made, opened, shut and closed. */
#include "double.h"

Queue *queues;

Queue *findQueue(uint64_t handle) {
  Queue *queue = queues;
  while (queue && (queue->handle != handle || queue->closed)) queue = queue->next;
  return queue;
}

static int isQueueName(const char *name) {
  size_t length = strlen(name);
  return length > 0 && length <= 255 && !strpbrk(name, "/\\");
}

EXPORT uint32_t HttpCreateRequestQueue(uint32_t version, uint64_t wideName, uint64_t attributes, uint32_t flags, uint64_t *handle) {
  pthread_mutex_lock(&lock);
  uint32_t code = checkVersion(version);
  if (code) return out(code);
  char name[256] = { 0 };
  int open = (flags & HTTP_CREATE_REQUEST_QUEUE_FLAG_OPEN_EXISTING) != 0;
  int delegation = (flags & HTTP_CREATE_REQUEST_QUEUE_FLAG_DELEGATION) != 0;
  if (!handle || (flags & ~11u)) return out(refuse(ERROR_INVALID_PARAMETER, "no place for the handle, or an unknown flag"));
  if (wideName && (!narrow(wideName, name, sizeof name) || !isQueueName(name)))
    return out(refuse(ERROR_INVALID_NAME, "a queue name has 1 to 255 characters without slash and backslash"));
  if (open && !wideName) return out(refuse(ERROR_INVALID_PARAMETER, "OPEN_EXISTING without a name"));
  if (open && attributes) return out(refuse(ERROR_INVALID_PARAMETER, "OPEN_EXISTING with security attributes"));
  if (delegation && !open) return out(refuse(ERROR_INVALID_PARAMETER, "DELEGATION without OPEN_EXISTING"));
  Queue *queue = calloc(1, sizeof *queue);
  queue->member = queue->inbox = queue->slot = queue->wake = -1;
  queue->limit = 1000;
  queue->flags = flags;
  memcpy(queue->name, name, sizeof name);
  if (name[0]) {
    code = (uint32_t)joinQueue(queue, !open);
    if (code) { free(queue); return out(code); }
  }
  *handle = queue->handle = nextId();
  queue->next = queues;
  queues = queue;
  if (!open) openInbox(queue);
  return out(0);
}

static void shutQueue(Queue *queue) {
  queue->shut = 1;
  cancelOps(&queue->receives, ERROR_OPERATION_ABORTED);
  closeInbox(queue);
  /* Other processes of the queue may still want what waits in it. */
  Conn *waiting = queue->pending;
  queue->pending = queue->pendingTail = NULL;
  for (Conn *next; waiting; waiting = next) {
    next = waiting->nextPending;
    waiting->nextPending = NULL;
    if (waiting->lease >= 0) waiting->silent = 1;
    else if (!shareOut(waiting, queue)) { enqueue(waiting, queue); continue; }
    wakeConn(waiting);
  }
}

EXPORT uint32_t HttpShutdownRequestQueue(uint64_t handle) {
  pthread_mutex_lock(&lock);
  Queue *queue = findQueue(handle);
  if (!queue) return out(refuse(ERROR_INVALID_HANDLE, "no queue has this handle"));
  shutQueue(queue);
  return out(0);
}

EXPORT uint32_t HttpCloseRequestQueue(uint64_t handle) {
  pthread_mutex_lock(&lock);
  Queue *queue = findQueue(handle);
  if (!queue) return out(refuse(ERROR_INVALID_HANDLE, "no queue has this handle"));
  shutQueue(queue);
  for (Conn *conn = conns; conn; conn = conn->next) {
    if (conn->queue != queue) continue;
    cancelOps(&conn->bodies, ERROR_OPERATION_ABORTED);
    cancelOps(&conn->waits, ERROR_OPERATION_ABORTED);
    cancelOps(&conn->certificates, ERROR_OPERATION_ABORTED);
    cancelOps(&conn->sends, ERROR_OPERATION_ABORTED);
    /* What came from another process goes back there, which answers for it. */
    if (conn->state != REQUEST_NONE) { if (conn->lease >= 0) conn->silent = 1; else conn->kill = 1; }
    unlinkPending(conn);
    conn->queue = NULL;
    wakeConn(conn);
  }
  queue->closed = 1;
  queue->port = NULL;
  if (queue->member >= 0) close(queue->member);
  Queue **at = &queues;
  while (*at != queue) at = &(*at)->next;
  *at = queue->next;
  free(queue);
  return out(0);
}
