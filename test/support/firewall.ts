/** Drops what comes and goes through a port of this machine, below TCP: nobody is told. Needs root and iptables. */
import { spawnSync } from 'node:child_process';

const iptables = (...args: readonly string[]): boolean => spawnSync('iptables', args, { stdio: 'ignore' }).status === 0;

const rulesOf = (port: number): readonly (readonly string[])[] =>
  ['--sport', '--dport'].map(end => ['INPUT', '-p', 'tcp', end, String(port), '-j', 'DROP']);

export const hasFirewall: boolean = process.getuid?.() === 0 && iptables('-L', 'INPUT', '-n');

/** @returns lets everything through again */
export function dropPackets(port: number): () => void {
  for (const rule of rulesOf(port)) if (!iptables('-I', ...rule)) throw new Error(`iptables refuses ${rule.join(' ')}`);
  return () => {
    for (const rule of rulesOf(port)) iptables('-D', ...rule);
  };
}
