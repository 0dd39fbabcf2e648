/** Certificates are replaced while we run: their files are read anew for each connection, as the password is. */
import type { ClientConfig } from 'pg';
import { parseIntoClientConfig } from 'pg-connection-string';

const FROM_FILES = ['ca', 'cert', 'key'] as const;

/**
 * What the address says about TLS, with properties that the driver reads at each connect. While a file is being replaced it may
 * be missing: then what it held last counts.
 */
export function rereadingTlsFiles(connectionString: string): ClientConfig['ssl'] {
  const tls = () => parseIntoClientConfig(connectionString).ssl;
  const first = tls();
  if (typeof first !== 'object') return first;
  const rereading = { ...first };
  for (const name of FROM_FILES.filter(file => file in first)) {
    let last = first[name];
    Object.defineProperty(rereading, name, {
      enumerable: true,
      configurable: true,
      get() {
        try {
          const now = tls();
          if (typeof now === 'object') last = now[name];
        } catch {
          // The connection that follows says what is wrong, if anything is.
        }
        return last;
      },
    });
  }
  return rereading;
}
