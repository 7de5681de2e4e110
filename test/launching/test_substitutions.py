"""Substitutions in launch files give what ROS gives, or one clear line."""

from pathlib import Path

import pytest

from rtrrl_ros.errors import UserError
from rtrrl_ros.launching.substitutions import expand, find_package_share

VARIABLES = {'seed': '3', 'name': 'seed', 'odd': 'a $(var seed) b'}
ENVIRONMENT = {'HOME': '/people/x', 'EMPTY': ''}


def test_our_share_folder_is_found_without_an_install():
    assert (find_package_share('rtrrl_ros') / 'launch').is_dir()


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('plain', 'plain'),
        ('', ''),
        ('$(var seed)', '3'),
        ('a$(var seed)b$(var  seed )c', 'a3b3c'),
        ('$(var $(var name))', '3'),
        ('$(var odd)', 'a $(var seed) b'),  # a value is not looked at again
        ('$(env HOME)/x', '/people/x/x'),
        ('$(env MISSING fallback)', 'fallback'),
        ("$(env MISSING 'two words')", 'two words'),
        ("$(env MISSING '')", ''),
        ('$(env EMPTY fallback)', ''),
        ('$(dirname)/other.xml', '/here/other.xml'),
        ('cost: 5$ (net)', 'cost: 5$ (net)'),
    ],
)
def test_expand(text, expected):
    assert expand(text, VARIABLES, ENVIRONMENT, Path('/here')) == expected


@pytest.mark.parametrize(
    ('text', 'named'),
    [
        ('$(var nothing)', "'nothing'"),
        ('$(env MISSING)', "'MISSING'"),
        ('$(var)', 'number of words'),
        ('$(eval 1 + 1)', 'not supported'),
        ('$(find-pkg-share no_such_package)', "'no_such_package'"),
        ('$(var seed', 'not closed'),
    ],
)
def test_faults_are_named(text, named):
    with pytest.raises(UserError, match=named):
        expand(text, VARIABLES, ENVIRONMENT, Path('/here'))


def test_other_packages_come_from_the_ament_index(tmp_path, monkeypatch):
    index = tmp_path / 'share/ament_index/resource_index/packages'
    index.mkdir(parents=True)
    (index / 'other').touch()
    monkeypatch.setenv('AMENT_PREFIX_PATH', f'/nowhere:{tmp_path}')
    text = expand('$(find-pkg-share other)|$(find-pkg-prefix other)', {}, {}, Path('/'))
    assert text == f'{tmp_path}/share/other|{tmp_path}'
