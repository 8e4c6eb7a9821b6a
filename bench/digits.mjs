export async function digits() {
  return [];
}
