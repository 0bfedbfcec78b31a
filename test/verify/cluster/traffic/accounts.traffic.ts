import { bearing } from '../../../../local/requests.ts';
import type { Traffic } from './traffic.ts';
import { signUp } from './sign-in.ts';

/** What every product has: people who look at their account. */
export const traffic: Traffic = {
  open: async (url) => {
    const { token } = await signUp(url);
    const me = { method: 'GET', path: '/v1/users/me', headers: bearing(token) } as const;
    return {
      streams: (perSecond) => [
        { name: 'reading accounts', requests: [me], pace: { kind: 'open', perSecond } },
      ],
      cached: undefined,
      accounts: async () => ({
        acknowledged: 0,
        lost: 0,
        doubled: 0,
        unreported: 0,
        mailedAgain: 0,
        unhandled: 0,
      }),
    };
  },
};
