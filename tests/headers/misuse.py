#!/usr/bin/python3
"""Writes the C program that calls every public function with each of its pointers null.

    misuse.py OUTPUT HEADER...

The list of functions is made from the headers, and so is the table of cases: a function whose parameters have no row below
becomes a case that fails. A case is one call in a process of its own. What it has to return follows from the header: a status that
is not AI8X_ERR_ARGUMENT, or an error without a message, is a failure, and so is a crash. For pointers that may be null (OPTIONAL)
only a crash is one.
"""
import re
import sys

# A good argument for a parameter of a type, by its name where that matters.
VALUES = {
    'const ai8x_program * program': 'good.program', 'ai8x_program * program': 'good.program',
    'const ai8x_program * golden': 'good.program', 'const ai8x_part * part': 'good.part',
    'ai8x_machine * machine': 'good.machine', 'const ai8x_machine * machine': 'good.machine',
    'const ai8x_machine * from': 'good.other',
    'const ai8x_network * network': 'good.network', 'ai8x_network * network': 'good.network',
    'const ai8x_sweep * sweep': 'good.sweep', 'ai8x_sweep * sweep': 'good.sweep',
    'const ai8x_layer * layer': '&good.layer', 'ai8x_layer * layer': '&good.layer',
    'const ai8x_counters * counters': '&good.counters', 'ai8x_counters * counters': '&good.counters',
    'const ai8x_batch * batch': 'good.batch', 'ai8x_batch * batch': 'good.spare_batch',
    'ai8x_batch_worker * worker': 'good.worker', 'ai8x_check * check': 'good.check',
    'const ai8x_check * check': 'good.check', 'const ai8x_finding * finding': 'good.finding',
    'ai8x_firmware * firmware': 'good.firmware', 'const ai8x_firmware * firmware': 'good.firmware',
    'const ai8x_firmware_result * result': 'good.firmware_result', 'ai8x_runner_result * result': '&good.result',
    'ai8x_eval_result * result': '&good.evaluation', 'const ai8x_eval_result * result': '&good.evaluation',
    'const ai8x_clock * clock': '&good.clock', 'ai8x_clock * clock': '&good.clock', 'ai8x_cost * cost': '&good.cost',
    'const ai8x_schedule * schedule': '&good.timing.schedule', 'ai8x_schedule * schedule': '&good.schedule',
    'ai8x_timing * timing': '&good.new_timing',
    'const ai8x_map * map': 'good.map', 'ai8x_map * map': 'good.map',
    'const ai8x_profile * profile': 'good.profile', 'ai8x_profile * profile': 'good.profile',
    'const ai8x_profile * baseline': 'good.profile', 'ai8x_advice_list * list': '&good.advice',
    'const ai8x_advice_list * advice': '&good.advice', 'const ai8x_trace * trace': 'good.trace',
    'ai8x_trace * trace': 'good.trace', 'void * trace': 'good.trace', 'const ai8x_event * event': '&good.event',
    'ai8x_show * show': 'good.show', 'const ai8x_show * show': 'good.show', 'FILE * file': 'good.file',
    'const ai8x_attribute * attribute': '&good.attribute', 'ai8x_cluster * cluster': 'NULL',
    'const ai8x_junit_case * cases': 'good.cases', 'ai8x_location * location': '&good.location',
    'ai8x_region * region': '&good.region', 'ai8x_field * fields': 'good.fields',
    'ai8x_firmware_comparison * comparison': '&good.comparison', 'ai8x_firmware_verdict * verdict': '&good.verdict',
    'ai8x_check_class * found': '&good.class', 'ai8x_error * error': '&error', 'const ai8x_error * error': '&error',
    'const ai8x_trace_options * options': '&good.trace_options',
    'const ai8x_sweep_options * options': '&good.sweep_options', 'const ai8x_eval_options * options': '&good.eval_options',
    'const char * path': 'good.path', 'const char * data': 'good.path', 'const char * name': '"MAX78000"',
    'const char * text': 'good.text', 'const char * message': '"it stopped"', 'const char * suite': '"suite"',
    'const char * file_name': '"a.yaml"', 'const char * fallback': '"none"', 'char * text': 'good.room',
    'char * reason': 'good.room', 'const void * bytes': 'good.text', 'void * user': 'NULL', 'char ** text': '&good.rendered',
    'uint32_t shape': 'good.shape', 'const uint32_t shape': 'good.shape', 'const uint32_t words': 'good.words',
    'const uint32_t * memory': 'good.words', 'const uint32_t * values': 'good.words', 'const int32_t * input': 'good.tensor',
    'const int32_t * output': 'good.tensor', 'const int8_t * input': 'good.bytes', 'int32_t * output': 'good.outputs',
    'const ai8x_word * memory': 'good.memory', 'uint32_t * value': '&good.word', 'uint8_t * value': '&good.byte',
    'uint32_t * address': '&good.word', 'size_t * taken': '&good.count', 'size_t * count': '&good.count',
    'size_t * words': '&good.count', 'size_t * entries': '&good.count', 'uint32_t * layers': 'good.words',
    'bool * is_program': '&good.flag', 'unsigned * networks': '&good.number',
    'const uint8_t * fifos': 'good.fifos', 'const uint32_t * input_shape': 'good.shape',
    'const ai8x_firmware_result ** result': '&good.ran', 'const ai8x_array * array': '&good.array',
    'const ai8x_array * arrays': '&good.array', 'const ai8x_cause * cause': 'ai8x_cause_get(0)',
    'const ai8x_run_report * reports': '&good.run_report', 'const ai8x_check_report * reports': '&good.check_report',
}
# Numbers; what is not here is 1.
NUMBERS = {
    'address': 'good.address', 'size': 'sizeof good.room', 'index': '0', 'position': '0', 'instance': '0', 'processor': '0',
    'group': '0', 'first': '0', 'words': '1', 'number': '77', 'capacity': '4', 'memory_count': '1', 'kinds': '1', 'count': '1',
    'op': '(ai8x_op){0}', 'volts': '1.1', 'callback': 'NULL', 'sums': 'NULL', 'axis': '0', 'point': '0', 'c': '0',
    'kind': '0', 'slot': '0', 'pixel': '0', 'layer_count': '1',
}
# Pointers that may be null, by name, or by function and name.
OPTIONAL = {
    'error', 'user', 'options', 'limits', 'files', 'file_name', 'feed', 'patterns', 'baseline', 'advice', 'message', 'cluster',
    'fallback', 'fifos', 'networks', 'layers', 'fields', 'entries', 'compile', 'input_shape',
    ('ai8x_show_add', 'network'), ('ai8x_batch_run', 'input'),
    ('ai8x_batch_run', 'output'), ('ai8x_firmware_run', 'result'), ('ai8x_program_add_layer', 'output'),
    ('ai8x_layer_describe', 'text'), ('ai8x_machine_explain_wait', 'text'), ('ai8x_finding_describe', 'text'),
    ('ai8x_program_ops', 'count'), ('ai8x_program_attributes', 'count'), ('ai8x_program_memory', 'words'),
    ('ai8x_machine_data', 'words'), ('ai8x_machine_kernels', 'words'),
}
REQUIRED = {('ai8x_trace_create', 'options'), ('ai8x_sweep_run', 'options'), ('ai8x_eval', 'options'),
            ('ai8x_program_set_memory', 'memory')}


class Unknown(Exception):
    """A parameter without a row."""


def prototypes(paths):
    """(return type, name, [(type, parameter)]) of every public function."""
    for path in paths:
        with open(path, encoding='utf-8') as file:
            text = re.sub(r'/\*.*?\*/', '', file.read(), flags=re.S)
        for returns, name, inside in re.findall(r'AI8X_API(?:_EXPERIMENTAL)?\s+([^;{}()]*?)\b(ai8x_\w+)\s*\(([^;]*?)\);', text):
            parameters = []
            for one in [] if inside.strip() == 'void' else inside.split(','):
                kind, parameter, bracket = re.match(r'\s*(.*?)(\w+)\s*(\[\w*\])?\s*$', ' '.join(one.split())).groups()
                parameters.append((kind.replace('*', ' * ').replace(' *  * ', ' ** ').strip(), parameter, bracket))
            yield ' '.join(returns.split()), name, parameters


def value(name, kind, parameter):
    """A good argument."""
    kind = ' '.join(kind.split())
    # Nothing is written over what is read.
    if parameter == 'path' and re.search('_(save|write|dump|hdf5)', name):
        return '"/nonexistent/file"'
    if f'{kind} {parameter}' in VALUES:
        return VALUES[f'{kind} {parameter}']
    if kind.endswith('**'):
        return '(void *)&good.made'
    if kind.endswith('*') and parameter in OPTIONAL:
        return 'NULL'
    if kind.endswith('*'):
        raise Unknown(f'{kind} {parameter}')
    return NUMBERS.get(parameter, f'({kind})1' if kind.startswith('ai8x_') else '1')


def cases(paths):
    """(function, parameter, call, check) of every call with a null pointer."""
    for returns, name, parameters in prototypes(paths):
        pointers = [p for p in parameters if p[0].endswith('*') or p[2]]
        try:
            good = [value(name, p[0], p[1]) for p in parameters]
        except Unknown as unknown:
            yield name, '', f'fail("misuse.py has no row for", "{unknown}");'
            continue
        for kind, parameter, _ in pointers:
            given = ['NULL' if p[1] == parameter else one for p, one in zip(parameters, good)]
            call = f'{name}({", ".join(given)})'
            may = (parameter in OPTIONAL or (name, parameter) in OPTIONAL) and (name, parameter) not in REQUIRED
            if re.search(r'_(destroy|release)$', name):
                may = True
            if may or returns != 'ai8x_status':
                yield name, parameter, f'(void){call};' if returns != 'void' else f'{call};'
            else:
                told = any(p[1] == 'error' for p in parameters)
                yield name, parameter, f'refused({call}, {"&error" if told else "NULL"}, "{parameter}");'
        if not pointers:
            call = f'{name}({", ".join(good)})'
            yield name, '', f'(void){call};' if returns != 'void' else f'{call};'


def main():
    """Writes the table."""
    output, *headers = sys.argv[1:]
    rows = list(cases(headers))
    with open(output, 'w', encoding='utf-8') as file:
        file.write('// Made by misuse.py.\n')
        for number, (_, _, call) in enumerate(rows):
            file.write(f'static void case_{number}(void)\n{{\n\tai8x_error error = {{AI8X_OK, ""}};\n\t(void)error;\n\t{call}\n}}\n')
        file.write('static const struct misuse cases[] = {\n')
        for number, (name, parameter, _) in enumerate(rows):
            file.write(f'\t{{"{name}", "{parameter}", case_{number}}},\n')
        file.write('};\n')


if __name__ == '__main__':
    main()
