/** Values of `/metrics`, by name and labels as they are written there. */
export async function scrape(managementUrl: string): Promise<Map<string, number>> {
  const response = await fetch(`${managementUrl}/metrics`, { signal: AbortSignal.timeout(5000) });
  if (!response.ok) throw new Error(`${managementUrl}/metrics answered ${response.status}`);
  const text = await response.text();
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    samples.map((line) => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}
