-- The trace that a task belongs to, as its caller named it (W3C trace context). Null for tasks without one, which costs a row nothing.

ALTER TABLE tasks
  ADD traceparent text,
  ADD tracestate text;
