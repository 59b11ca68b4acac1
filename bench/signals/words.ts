// Counts in words for people: 12345 → '12,345'. Measured figures have formatNumber, which keeps decimals.
export function counted(value: number): string {
  return value.toLocaleString('en-US');
}
