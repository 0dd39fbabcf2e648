/**
 * Holds ops/kubernetes to the schemas that Kubernetes and the Prometheus operator publish, and installs those first where they are
 * not:
 *
 *     node scripts/test-kubernetes.ts [vitest's own arguments]
 */
import { fileURLToPath } from 'node:url';
import { installApart } from './install-apart.ts';
import { runVitest } from './run.ts';

installApart(fileURLToPath(new URL('../test/kubernetes', import.meta.url)));
process.exitCode = runVitest(['--project', 'kubernetes', ...process.argv.slice(2)]) ? 0 : 1;
