//! Bytes ↔ types. Decoders are total: any bytes give a value or a `WireError`.
