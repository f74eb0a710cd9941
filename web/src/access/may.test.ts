// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { RoleTable } from '../api/contract';
import { either, reason } from './may';

const table: RoleTable = {
  roles: [
    { role: 'viewer', title: 'Viewer', may: ['view'] },
    { role: 'analyst', title: 'Analyst', may: ['view', 'acquire'] },
    { role: 'administrator', title: 'Administrator', may: ['view', 'acquire', 'people'] },
  ],
  permissions: [
    {
      permission: 'acquire',
      allows: 'take evidence in',
      scope: 'write',
      roles: ['analyst', 'administrator'],
      installation: false,
    },
    {
      permission: 'people',
      allows: 'manage people',
      scope: 'manage',
      roles: ['administrator'],
      installation: true,
    },
  ],
};

describe('why somebody may not', () => {
  it('names the roles and whom to ask', () => {
    expect(reason('acquire', ['ada', 'bob'], 'one', table)).toBe(
      'This takes the role of analyst or administrator in this case. Ask ada or bob.',
    );
  });
  it('says where the role must hold', () => {
    expect(reason('people', ['ada'], undefined, table)).toContain('in all cases');
    expect(reason('acquire', ['ada'], undefined, table)).toContain('in a case');
  });
  it('says something when nobody can be named and nothing is known', () => {
    expect(reason('acquire', [], 'one', undefined)).toBe(
      'You may not do this. The owner of this installation can grant it.',
    );
  });
  it('joins names as people do', () => {
    expect(either(['a'])).toBe('a');
    expect(either(['a', 'b', 'c'])).toBe('a, b or c');
    expect(either([])).toBe('');
  });
});
