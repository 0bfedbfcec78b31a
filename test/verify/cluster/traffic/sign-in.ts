import { randomUUID } from 'node:crypto';
import { httpClient } from '../../../../local/http.ts';
import { waitFor } from '../../../../local/wait-for.ts';

export interface SignedUp {
  id: string;
  /** Access token. */
  token: string;
}

/** A new account. @param promote gives them a role, before they log in */
export async function signUp(url: string, promote?: (id: string) => Promise<unknown>): Promise<SignedUp> {
  const http = httpClient(url);
  const account = { email: `${randomUUID()}@example.com`, password: 'correct horse battery staple' };
  // The first request of all may come while the node ports are being set up.
  const user = await waitFor(
    async () => {
      const answer = await http.post<{ id: string }>('/v1/auth/register', { ...account, name: 'Ada' });
      if (answer.status !== 201) throw new Error(`${answer.status} ${answer.text}`);
      return answer.body;
    },
    { within: 60_000, every: 500, what: `an account at ${url}` },
  );
  await promote?.(user.id);
  const login = await http.post<{ accessToken: string }>('/v1/auth/login', account);
  if (login.status !== 200) throw new Error(`Login failed: ${login.status} ${login.text}`);
  return { id: user.id, token: login.body.accessToken };
}
