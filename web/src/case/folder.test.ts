// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { tar } from './folder';

const at = Date.UTC(2026, 2, 1, 12, 0, 0, 250);

function member(path: string, text: string) {
  return { path, file: new File([text], path.split('/').pop() ?? '', { lastModified: at }) };
}

async function untarred(file: File, ...options: string[]): Promise<string> {
  const input = Buffer.from(await file.arrayBuffer());
  return execFileSync('tar', [...options, '-f', '-'], {
    input,
    env: { TZ: 'UTC', LC_ALL: 'C.UTF-8' },
  }).toString();
}

describe('a folder as one tar', () => {
  it('is read by tar with every path, time and byte', async () => {
    const odd = `evidence/${'long '.repeat(40)}/größe ‮.log`;
    const made = tar('evidence', [
      member('evidence/var/log/auth.log', 'x'.repeat(1000)),
      member(odd, 'odd'),
      member('evidence/empty', ''),
      member('evidence/block', 'b'.repeat(512)),
    ]);
    expect(made.name).toBe('evidence.tar');
    const listed = await untarred(made, '--quoting-style=literal', '--full-time', '-tv');
    const lines = listed.trimEnd().split('\n');
    expect(lines.map((line) => line.split(/\s+/)[2])).toEqual(['512', '0', '3', '1000']);
    expect(lines.every((line) => line.includes('2026-03-01 12:00:00.25 '))).toBe(true);
    expect(lines.map((line) => line.slice(line.indexOf('evidence/')))).toEqual([
      'evidence/block',
      'evidence/empty',
      odd,
      'evidence/var/log/auth.log',
    ]);
    expect(await untarred(made, '-xO', '--wildcards', '*auth.log')).toBe('x'.repeat(1000));
  });

  it('says the length of a record that the length itself makes longer', async () => {
    for (const length of [86, 87, 88, 89, 90, 91, 92, 985, 986, 987, 988, 989, 990, 991]) {
      const path = `e/${'p'.repeat(length).replace(/.{80}/g, '$&/')}`;
      const listed = await untarred(tar('e', [member(path, 'x')]), '-t');
      expect(listed.trimEnd()).toBe(path);
    }
  });

  it('is the same for the same folder in any order', async () => {
    const both = [member('e/a', '1'), member('e/b', '2')];
    const [one, other] = [tar('e', both), tar('e', both.reverse())];
    expect(await one.text()).toBe(await other.text());
  });

  it('says sizes beyond eight gibibytes, and times before 1970', async () => {
    const huge = member('e/huge', '');
    Object.defineProperty(huge.file, 'size', { value: 9 * 2 ** 30 });
    const text = await tar('e', [huge]).text();
    expect(text).toContain('19 size=9663676416\n');
    const old = { path: 'e/old', file: new File(['x'], 'old', { lastModified: -1500 }) };
    expect(await tar('e', [old]).text()).toContain('16 mtime=-1.500\n');
  });
});
