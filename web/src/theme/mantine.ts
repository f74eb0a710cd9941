// SPDX-License-Identifier: Apache-2.0
import { createTheme, type MantineColorsTuple } from '@mantine/core';

const blue: MantineColorsTuple = [
  '#eef1fe',
  '#dde4fd',
  '#bccafb',
  '#8ba2ff',
  '#6d88f3',
  '#4f6de6',
  '#3f5edb',
  '#3453d1',
  '#2b46b4',
  '#223892',
];

// The library derives its dark surfaces from this scale; these are the tokens' values.
const dark: MantineColorsTuple = [
  '#e7eaef',
  '#c3cad4',
  '#a3acb9',
  '#838d9b',
  '#353c47',
  '#232830',
  '#191d24',
  '#12151a',
  '#0c0e12',
  '#08090c',
];

export const theme = createTheme({
  primaryColor: 'locard',
  primaryShade: 7,
  colors: { locard: blue, dark },
  fontFamily: 'var(--font-text)',
  fontFamilyMonospace: 'var(--font-mono)',
  defaultRadius: 6,
  cursorType: 'pointer',
  fontSizes: { xs: '11.5px', sm: '13px', md: '14px' },
  components: {
    Button: { defaultProps: { size: 'xs' } },
    TextInput: { defaultProps: { size: 'sm' } },
    PasswordInput: { defaultProps: { size: 'sm' } },
    Select: { defaultProps: { size: 'sm' } },
    Tooltip: { defaultProps: { openDelay: 350, withArrow: false, fz: 12, color: 'dark' } },
    // Nothing fades: a key that is pressed while something fades in or out would be lost.
    Modal: {
      defaultProps: {
        centered: true,
        overlayProps: { backgroundOpacity: 0.45 },
        transitionProps: { duration: 0 },
      },
    },
    Menu: {
      defaultProps: {
        shadow: 'md',
        position: 'bottom-end',
        transitionProps: { duration: 0 },
      },
    },
    Popover: { defaultProps: { transitionProps: { duration: 0 } } },
  },
});
