// All that the parser takes from Chevrotain. Its package is some 700 small files with what it depends on, and loading
// them took most of the time in which a command starts: the build (scripts/bundle-chevrotain.mjs) puts them into this
// one.
export {
  CstParser,
  createToken,
  EOF,
  isRecognitionException,
  Lexer,
} from 'chevrotain';
