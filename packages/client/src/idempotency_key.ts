// The Idempotency-Key belongs to the refresh token that is being exchanged, not to the attempt: it is kept until the
// server has answered, so that a lost response, a reload or a laptop that slept gets the same successor instead of
// looking like a thief. 24 random bytes; the server wants 16 to 255 characters.

export function newIdempotencyKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(24));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_');
}
