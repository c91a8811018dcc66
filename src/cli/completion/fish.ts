import type { Flag, Node } from './tree.js';

/** A file arkitect.fish in ~/.config/fish/completions. */
export function fishScript(tree: Node[]): string {
  const paths = tree.map(({ path }) => path).filter(Boolean);
  const valued = [...new Set(tree.flatMap(({ options }) => options.filter(({ takesValue }) => takesValue).flatMap(namesOf)))];
  return `# Completion of arkitect for fish.
set -g __arkitect_paths ${paths.map(quote).join(' ')}
set -g __arkitect_valued ${valued.map(quote).join(' ')}
# Whether the words before the cursor are this command.
function __arkitect_at
    set -l found ''
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
        else if string match -q -- '-*' $word
            contains -- $word $__arkitect_valued; and set skip 1
        else if contains -- (string trim "$found $word") $__arkitect_paths
            set found (string trim "$found $word")
        end
    end
    test "$found" = "$argv[1]"
end
complete -c arkitect -f
${tree.flatMap(linesOf).join('\n')}
`;
}

function linesOf({ path, words, options }: Node): string[] {
  const at = `complete -c arkitect -n ${quote(`__arkitect_at ${quote(path)}`)}`;
  return [
    ...words.map(({ text, summary }) => `${at} -a ${quote(text)} -d ${quote(summary)}`),
    ...options.map(
      (flag) => `${at}${flag.short ? ` -s ${flag.short.slice(1)}` : ''} -l ${flag.long.slice(2)} -d ${quote(flag.summary)}${value(flag)}`,
    ),
  ];
}

function value({ takesValue, values }: Flag): string {
  if (!takesValue) return '';
  return values.length ? ` -x -a ${quote(values.map(quote).join(' '))}` : ' -r';
}

function namesOf({ long, short }: Flag): string[] {
  return short ? [long, short] : [long];
}

/** As one word of fish. */
function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
